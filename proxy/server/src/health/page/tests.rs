use super::look;
use crate::config::settings::Check;
use crate::tests::{Scripted, agents, respond};

/// What is expected of the page, the page, and what is told of it; nothing where all is well.
async fn check(wanted: &str, answer: String, told: &str) {
    let agent = Scripted::agent(move |_| Some(answer.clone())).await;
    let address = agent.address;
    let file =
        format!("agents: [{{name: w, url: 'http://{address}/mcp', probe: {{http: {{path: /health{wanted}}}}}}}]");
    let Check::Page(page) = agents(&file).remove(0).probe.check else { panic!("{file}") };
    let found = look(&page).await.map_or_else(|error| error.to_string(), |()| String::new());
    assert_eq!(found, told, "{wanted}");
}

#[tokio::test]
async fn any_2xx_is_well_unless_a_status_is_named() {
    check("", respond(204, "", ""), "").await;
    check("", respond(503, "", ""), "its health page answers 503 Service Unavailable").await;
    check("", respond(302, "Location: /elsewhere\r\n", ""), "its health page answers 302 Found").await;
    check(", status: 401", respond(401, "", ""), "").await;
    check(", status: 200", respond(204, "", ""), "its health page answers 204 No Content").await;
}

#[tokio::test]
async fn each_value_that_is_named_has_to_be_in_the_json_of_the_page() {
    let page = || respond(200, "", r#"{"status": "healthy", "a/b": 1, "checks": [{"db": true}]}"#);
    check(", json: {status: healthy}", page(), "").await;
    check(", json: {status: healthy, a/b: 1, /checks/0/db: true}", page(), "").await;
    check(
        ", json: {status: healthy, /checks/0/db: false}",
        page(),
        "`/checks/0/db` of its health page is not as expected",
    )
    .await;
    check(", json: {missing: 1}", page(), "`/missing` of its health page is not as expected").await;
    check(", json: {status: healthy}", respond(200, "", "healthy"), "its health page is not JSON").await;
}

#[tokio::test]
async fn a_page_without_end_is_not_read_to_its_end() {
    let large = respond(200, "", &" ".repeat(65_537));
    check(", json: {status: healthy}", large.clone(), "its health page is larger than 65536 bytes").await;
    check("", large, "").await;
}
