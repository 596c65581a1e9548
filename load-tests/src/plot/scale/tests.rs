use super::*;

#[test]
fn a_line_from_zero_keeps_proportions_and_holds_its_highest() {
    for highest in [0.3, 1.0, 7.0, 13.8, 43.5, 999.0, 122_900.0] {
        let line = Linear::new(highest, 400.0);
        assert_eq!(line.at(0.0), 0.0);
        assert!((line.at(highest) - 2.0 * line.at(highest / 2.0)).abs() < 1e-9);
        assert!(line.at(highest) <= 400.0 + 1e-9, "{highest}");
        assert!(line.at(highest) > 200.0, "most of the line is used for {highest}");
        let marks: Vec<f64> = line.marks().collect();
        assert!((3..=7).contains(&marks.len()), "{highest}: {marks:?}");
        assert!(marks[marks.len() - 1] >= highest * (1.0 - 1e-9));
    }
}

#[test]
fn marks_are_told_apart_by_their_digits() {
    assert_eq!(Linear::new(0.3, 100.0).digits(), 2);
    assert_eq!(Linear::new(4.0, 100.0).digits(), 0);
    assert_eq!(Linear::new(40_000.0, 100.0).digits(), 0);
}

#[test]
fn without_anything_to_show_there_is_still_a_line() {
    assert_eq!(Linear::new(0.0, 100.0), Linear::new(1.0, 100.0));
    assert_eq!(Linear::new(f64::NAN, 100.0), Linear::new(1.0, 100.0));
    assert!(Logarithmic::new(&[], 100.0).at(1.0).is_finite());
}

#[test]
fn ten_times_as_much_is_always_equally_far() {
    let line = Logarithmic::new(&[89.0, 386_400.0], 300.0);
    let decade = line.at(1_000.0) - line.at(100.0);
    assert!((line.at(10_000.0) - line.at(1_000.0) - decade).abs() < 1e-9);
    assert!(line.at(89.0) >= 0.0 && line.at(386_400.0) <= 300.0);
    assert_eq!((line.at(50.0), line.at(500_000.0)), (0.0, 300.0), "not much room is left on either side");
    assert!(line.at(89.0) < line.at(90.0));
}

#[test]
fn marks_of_a_logarithm_lie_on_it() {
    let line = Logarithmic::new(&[1_200.0, 4_000.0], 300.0);
    let marks: Vec<f64> = line.marks().iter().map(|(value, _)| *value).collect();
    assert_eq!(marks, [1_000.0, 2_000.0, 5_000.0]);
    assert!(marks.iter().all(|mark| (0.0..=300.0).contains(&line.at(*mark))));
}
