use super::*;

#[test]
fn an_answer_is_read_with_its_number_and_its_replica() {
    let bytes = answer("7", 7, "echo-1", 100, 0);
    let read = read_answer(bytes.as_bytes(), &Ask::PLAIN).unwrap();
    assert_eq!((read.number, read.replica.as_ref()), (7, "echo-1"));
}

#[test]
fn an_answer_under_another_id_is_no_answer() {
    assert_eq!(read_answer(answer("8", 7, "echo-1", 100, 0).as_bytes(), &Ask::PLAIN), None);
    assert_eq!(read_answer(br#"{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"no"}}"#, &Ask::PLAIN), None);
}

#[test]
fn an_answer_that_is_not_whole_is_no_answer() {
    let ask = Ask { padding_bytes: 64, reply_bytes: 4_000, ..Ask::PLAIN };
    let good = answer("7", 7, "echo-1", 64, 4_000);
    assert!(read_answer(good.as_bytes(), &ask).is_some());
    for bad in [
        answer("7", 7, "echo-1", 63, 4_000),
        answer("7", 7, "echo-1", 64, 3_999),
        good.replacen("0000100 ", "0000101 ", 1),
    ] {
        assert_eq!(read_answer(bad.as_bytes(), &ask), None);
    }
}

#[test]
fn a_list_is_read_only_with_all_its_tools_as_they_were() {
    let ask = Ask::of(Form::List { tools: 5 });
    let good = list("7", 7, "echo-1", 5);
    assert_eq!(read_answer(good.as_bytes(), &ask).unwrap().replica, "echo-1");
    let spaced = serde_json::to_string_pretty(&value(&good).unwrap()).unwrap();
    assert!(read_answer(spaced.as_bytes(), &ask).is_some());
    for bad in [list("7", 7, "echo-1", 4), list("8", 7, "echo-1", 5), good.replacen("store 3", "store 4", 1)] {
        assert_eq!(read_answer(bad.as_bytes(), &ask), None);
    }
}
