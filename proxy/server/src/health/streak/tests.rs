use super::Streak;

/// `+` is a good look, `-` a bad one, `0` a closed port; the answer to each is `y` where it was enough.
fn check(unhealthy_after: u32, healthy_after: u32, looks: &str, enough: &str) {
    let mut streak = Streak::new(unhealthy_after, healthy_after);
    let told: String = looks
        .chars()
        .map(|look| match look {
            '+' => streak.well(),
            '-' => streak.ill(),
            _ => {
                streak.forget();
                false
            }
        })
        .map(|is_enough| if is_enough { 'y' } else { '.' })
        .collect();
    assert_eq!(told, enough, "{looks} with {unhealthy_after} and {healthy_after}");
}

#[test]
fn looks_of_one_kind_count_until_one_of_the_other_kind_comes() {
    check(1, 1, "+-+-", "yyyy");
    check(2, 1, "--+--", ".yy.y");
    check(2, 3, "++-+++", ".....y");
    check(3, 2, "---++", "..y.y");
}

#[test]
fn a_closed_port_begins_both_anew() {
    check(2, 2, "-0--", "...y");
    check(2, 2, "+0++", "...y");
}
