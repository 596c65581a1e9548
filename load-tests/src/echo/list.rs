//! A list of tools with descriptions and schemas of the size that real servers have: about 900 bytes each.
//!
//! Invariant: the list of a length is always the same.

use std::sync::LazyLock;

/// Longest list, about 450 KB.
pub const TOOLS_MAX: usize = 500;

/// All tools, and where each ends.
static TOOLS: LazyLock<(String, Vec<usize>)> = LazyLock::new(|| {
    let mut text = String::new();
    let mut ends = Vec::with_capacity(TOOLS_MAX);
    for at in 0..TOOLS_MAX {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&tool(at));
        ends.push(text.len());
    }
    (text, ends)
});

/// What stands between the brackets of a list with so many tools, at most [`TOOLS_MAX`].
pub fn tools(count: usize) -> &'static str {
    let (text, ends) = &*TOOLS;
    let end = match count.checked_sub(1) {
        None => 0,
        Some(last) => ends.get(last).copied().unwrap_or(text.len()),
    };
    text.get(..end).unwrap_or_default()
}

fn tool(at: usize) -> String {
    format!(
        r#"{{"name":"records_search_{at}","title":"Search records {at}","description":"Searches the records of store {at} by text, author and date, and answers a page of matches with their ids, titles and the lines that matched. Use it before reading a record; ask for the next page with the cursor of the page before.","inputSchema":{{"type":"object","properties":{{"query":{{"type":"string","description":"Words to look for; all of them must occur","minLength":1,"maxLength":500}},"author":{{"type":"string","description":"Only records of this author"}},"since":{{"type":"string","format":"date","description":"Only records changed on this day or later"}},"limit":{{"type":"integer","minimum":1,"maximum":100,"default":20}},"cursor":{{"type":"string"}}}},"required":["query"],"additionalProperties":false}},"annotations":{{"readOnlyHint":true,"idempotentHint":true,"openWorldHint":false}}}}"#
    )
}

#[cfg(test)]
mod tests;
