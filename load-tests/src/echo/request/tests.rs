use super::*;

#[test]
fn a_call_is_read_in_either_era() {
    let ask = Ask { form: Form::Events { count: 3, every_ms: 20 }, padding_bytes: 50, reply_bytes: 9 };
    for era in [Era::Legacy, Era::Modern] {
        let body = body(5, &ask, era);
        let request: Request<'_> = serde_json::from_str(&body).unwrap();
        let arguments = request.params.arguments;
        assert_eq!((request.method.as_ref(), request.id.unwrap().get()), ("tools/call", "5"));
        assert_eq!((arguments.number, arguments.events, arguments.every_ms), (Some(5), 3, 20));
        assert_eq!((arguments.reply_bytes, arguments.heard()), (9, 50));
    }
}

#[test]
fn a_list_and_a_listen_stream_say_their_number() {
    for (body, method) in [
        (body(5, &Ask::of(Form::List { tools: 4 }), Era::Legacy), "tools/list"),
        (body(5, &Ask::of(Form::List { tools: 4 }), Era::Modern), "tools/list"),
        (listen(5), "subscriptions/listen"),
    ] {
        let request: Request<'_> = serde_json::from_str(&body).unwrap();
        assert_eq!((request.method.as_ref(), request.params.meta.number), (method, Some(5)));
    }
}

#[test]
fn text_that_changed_on_the_way_is_not_heard() {
    let ask = Ask { padding_bytes: 4_000, ..Ask::PLAIN };
    let body = body(5, &ask, Era::Legacy).replacen("0000100 ", "0000101 ", 1);
    let request: Request<'_> = serde_json::from_str(&body).unwrap();
    assert_eq!(request.params.arguments.heard(), 0);
}
