//! Invariants that are absences: what only one room may speak of, and what the crates that only think never do.
//!
//! In: the Rust files. Out: complaints with file and line.
//! Never here: manifests; that is `layers`.
//! Invariant: each row is a sentence of ARCHITECTURE.md.

use crate::tree::Source;

struct Absence {
    /// The sentence in ARCHITECTURE.md.
    says: &'static str,
    word: &'static str,
    /// Where the rule looks.
    within: &'static [&'static str],
    /// Where the word may be, each with its reason beside it.
    except: &'static [&'static str],
}

const PRODUCT: &[&str] = &["api/", "proxy/", "control/", "cli/"];
const CORES: &[&str] = &["api/model/", "proxy/core/", "control/core/"];

const ABSENCES: &[Absence] = &[
    Absence { says: "only proxy/core/src/mcp understands JSON-RPC", word: "jsonrpc", within: PRODUCT, except: JSONRPC },
    Absence { says: "only proxy/server knows pingora", word: "pingora::", within: PRODUCT, except: &["proxy/server/"] },
    Absence { says: "only the store knows SQL", word: "sqlx", within: PRODUCT, except: &["control/server/src/store"] },
    Absence { says: "only api/wire knows protobuf", word: "prost", within: PRODUCT, except: PROTOBUF },
    Absence { says: "cores never read a clock", word: "Instant::now", within: CORES, except: &[] },
    Absence { says: "cores never read a clock", word: "SystemTime::now", within: CORES, except: &[] },
    Absence { says: "cores never read the environment", word: "std::env", within: CORES, except: &[] },
    Absence { says: "cores never log", word: "tracing::", within: CORES, except: &[] },
    Absence { says: "cores start no threads", word: "std::thread", within: CORES, except: &[] },
    Absence {
        says: JSON,
        word: "serde_json",
        within: &["control/core/"],
        except: &["control/core/src/resolve/schema"],
    },
    Absence { says: "queues are bounded", word: "unbounded_channel", within: PRODUCT, except: &[] },
    Absence { says: "control calls nobody", word: "TcpStream::connect", within: &["control/"], except: RELAY },
];

/// Schemas that registrations hold are JSON, and whether one is part of another is a decision.
const JSON: &str = "the core of control reads JSON only to compare schemas";

/// Beside the room itself: whoever plays the client towards an agent, to ask what it offers or on an operator's word; and the catalog,
/// which is a server of its own: it makes one answer of the lists of many, and only whole trees can become one.
const JSONRPC: &[&str] = &[
    "proxy/core/src/mcp",
    "proxy/core/src/refusal",
    "proxy/server/src/introspect",
    "proxy/server/src/catalog",
    "cli/src/",
];

/// Where operators call agents through control: nothing of the mesh depends on it, and it can be switched off.
const RELAY: &[&str] = &["control/server/src/relay/dial.rs"];

/// Beside the room itself: whoever keeps encoded bytes, so that they are encoded once for many streams or for the disk; and the room that
/// speaks to clients of others, whose messages are not ours.
const PROTOBUF: &[&str] = &[
    "api/wire/",
    "api/client/src/last_good",
    "control/server/src/publish/frame",
    "control/server/src/discovery/codec",
    "control/server/src/stock/",
    "control/server/src/store",
];

fn check(sources: &[Source]) -> Vec<String> {
    let mut complaints = vec![];
    for source in sources.iter().filter(|source| source.is_rust() && !source.is_test()) {
        for absence in ABSENCES {
            let here = absence.within.iter().any(|place| source.path.starts_with(place));
            let may = absence.except.iter().any(|place| source.path.starts_with(place));
            if here && !may {
                complaints.extend(hits(source, absence));
            }
        }
    }
    complaints
}

fn hits(source: &Source, absence: &Absence) -> Vec<String> {
    let code = source.lines().filter(|(_, line)| !line.trim_start().starts_with("//"));
    let hits = code.filter(|(_, line)| line.contains(absence.word));
    hits.map(|(number, _)| format!("{}:{number}: {} (`{}`)", source.path, absence.says, absence.word)).collect()
}

#[test]
fn what_must_be_absent_is_absent() {
    crate::must_be_clean(&check(&crate::tree::sources()));
}

#[test]
fn each_absence_is_caught_when_broken() {
    for absence in ABSENCES {
        let path = format!("{}x/src/y.rs", absence.within[0]);
        let planted = Source::new(&path, &format!("//! x\n// {0}\nlet a = {0}();\n", absence.word));
        let found = check(&[planted]);
        assert!(found.iter().any(|line| line.contains(absence.says)), "{}: {found:?}", absence.says);
        assert!(found.iter().all(|line| line.contains(":3:")), "a comment is no use of the thing: {found:?}");
    }
}
