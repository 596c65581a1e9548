use super::*;

fn fits(filter: &str, offer: &str) -> Option<usize> {
    let filter = TagFilter::parse(filter.split_whitespace()).unwrap();
    let offer = TagSet::parse(offer.split_whitespace()).unwrap();
    (filter.missing(&offer).is_none() && filter.clash(&offer).is_none()).then(|| filter.score(&offer))
}

#[test]
fn required_tags_must_all_be_there_preferred_ones_count_excluded_ones_forbid() {
    assert_eq!(fits("", ""), Some(0));
    assert_eq!(fits("gpu", "gpu"), Some(0));
    assert_eq!(fits("gpu", "large"), None);
    assert_eq!(fits("gpu +large", "gpu large"), Some(1));
    assert_eq!(fits("gpu +large", "gpu"), Some(0));
    assert_eq!(fits("gpu -beta", "gpu beta"), None);
    assert_eq!(fits("+a +b", "a b c"), Some(2));
}

#[test]
fn a_filter_reads_back_as_it_was_written() {
    let filter = TagFilter::parse(["eu", "+fast", "-beta"]).unwrap();
    assert_eq!(filter.texts().collect::<Vec<_>>(), ["eu", "+fast", "-beta"]);
}

#[test]
fn a_filter_that_contradicts_itself_is_refused() {
    assert_eq!(TagFilter::parse(["eu", "-eu"]), Err(BadTag::Contradiction("eu".into())));
    assert_eq!(TagFilter::parse(["+eu", "-eu"]), Err(BadTag::Contradiction("eu".into())));
}

#[test]
fn a_tag_that_could_be_read_as_an_operator_is_refused() {
    for bad in ["", "+", "-", "--a", "+-a", "a b", "ä", &"x".repeat(64)] {
        assert!(TagFilter::parse([bad]).is_err(), "{bad:?} was accepted");
    }
    assert!(TagSet::parse((0..65).map(|n| n.to_string())).is_err());
}
