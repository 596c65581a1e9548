use super::Target;

fn target(text: &str) -> String {
    match text.parse::<Target>() {
        Ok(target) => {
            let urls: Vec<String> = target.urls.iter().map(ToString::to_string).collect();
            format!("{} {}", target.name, urls.join(" "))
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn an_agent_is_a_name_and_the_urls_of_its_replicas() {
    assert_eq!(target("weather=http://127.0.0.1:8081/mcp"), "weather http://127.0.0.1:8081/mcp");
    assert_eq!(target("w=http://a:1/mcp,http://a:2/mcp"), "w http://a:1/mcp http://a:2/mcp");
    assert_eq!(target("w=http://a:1/mcp?key=value"), "w http://a:1/mcp?key=value");
}

#[test]
fn what_cannot_be_an_agent_is_refused_with_an_example() {
    let example = "weather=http://127.0.0.1:8081/mcp";
    for text in ["weather", "=http://a/mcp", "we ather=http://a/mcp", "w=", "w=8081", "w=ftp://a/", "w=http:///mcp"] {
        assert!(target(text).contains(example), "{}", target(text));
    }
    assert!(target("w=https://a/mcp").contains("is https"));
    assert!(target("w=http://a/mcp,http://a/mcp").contains("named twice"));
    assert!(target("w=stdio:uvx mcp-server-time").contains("not served yet"));
}
