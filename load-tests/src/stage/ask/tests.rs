use super::*;

#[test]
fn a_metric_is_found_by_its_whole_name() {
    let text = "# TYPE a counter\na_total_more 7\na_total{kind=\"x\"} 3\na_total 2\n# EOF\n";
    assert_eq!(read_metric(text, "a_total"), Some(2.0));
    assert_eq!(read_metric(text, "a_total{kind=\"x\"}"), Some(3.0));
    assert_eq!(read_metric(text, "a"), None);
}
