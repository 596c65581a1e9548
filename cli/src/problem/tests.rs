use super::Problem;

#[test]
fn a_failure_says_what_and_why_and_what_to_try_next() {
    let cause = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "connection refused");
    let problem = Problem::failed("control does not answer on 127.0.0.1:8000").because(cause).next("outrigger control");
    assert_eq!(
        problem.report(),
        "error: control does not answer on 127.0.0.1:8000: connection refused\nnext:  outrigger control"
    );
}
