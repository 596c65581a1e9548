//! Callers that flood a connection of HTTP/2, frame by frame, while another one is served.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::agent::Agent;
use crate::caller::{CALL, Caller, PATIENCE};
use crate::mesh::Scene;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const GO_AWAY: u8 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// `POST http://127.0.0.1/weather/mcp` in HPACK without any table.
fn fields() -> Vec<u8> {
    let mut block = vec![0x83, 0x86, 0x04, 12];
    block.extend_from_slice(b"/weather/mcp");
    block.extend_from_slice(&[0x01, 9]);
    block.extend_from_slice(b"127.0.0.1");
    block
}

/// Sends pieces until the connection ends: how many pieces were written, and the code of the last GOAWAY.
async fn flood(address: SocketAddr, first: Vec<u8>, piece: impl Fn(u32) -> Vec<u8>) -> (u32, u32) {
    let mut stream = TcpStream::connect(address).await.expect("connect");
    stream.set_nodelay(true).expect("nodelay");
    let mut start = PREFACE.to_vec();
    start.extend(frame(4, 0, 0, &[]));
    start.extend(first);
    stream.write_all(&start).await.expect("write");
    let (mut heard, mut buffer) = (Vec::new(), [0; 4096]);
    let mut sent = 0;
    while sent < 20_000 {
        if stream.write_all(&piece(sent)).await.is_err() {
            break;
        }
        sent += 1;
        // Gives the listener its turn, so that what was written is about what was taken.
        tokio::task::yield_now().await;
        match stream.try_read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => heard.extend_from_slice(&buffer[..count]),
            Err(_) => {}
        }
        if code(&heard).is_some() {
            break;
        }
    }
    while let Ok(Ok(count @ 1..)) = timeout(PATIENCE, stream.read(&mut buffer)).await {
        heard.extend_from_slice(&buffer[..count]);
    }
    (sent, code(&heard).expect("a reason"))
}

/// The code of the first GOAWAY among whole frames.
fn code(mut heard: &[u8]) -> Option<u32> {
    while heard.len() >= 9 {
        let length = usize::from(heard[0]) << 16 | usize::from(heard[1]) << 8 | usize::from(heard[2]);
        let payload = heard.get(9..9 + length)?;
        if heard[3] == GO_AWAY {
            return Some(u32::from_be_bytes(payload[4..8].try_into().expect("four")));
        }
        heard = &heard[9 + length..];
    }
    None
}

/// A flood ends after at most `pieces_max`, and another caller is served at once.
async fn check(name: &str, pieces_max: u32, first: Vec<u8>, piece: impl Fn(u32) -> Vec<u8>) {
    let agent =
        Agent::answering("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}").await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut other = Caller::connect(proxy.outbound).await;
    let flooding = timeout(Duration::from_secs(60), flood(proxy.outbound, first, piece));
    let serving = async { other.post("/weather/mcp", "", CALL).await };
    let (flooded, answer) = tokio::join!(flooding, serving);
    assert_eq!(answer.status, 200, "{name}");
    let (sent, code) = flooded.unwrap_or_else(|_| panic!("{name} is not ended"));
    assert_eq!(code, ENHANCE_YOUR_CALM, "{name}");
    assert!(sent <= pieces_max, "{name}: {sent}");
    assert_eq!(other.post("/weather/mcp", "", CALL).await.status, 200, "{name}");
}

fn opened() -> Vec<u8> {
    frame(1, 4, 1, &fields())
}

#[tokio::test]
async fn pings_are_bounded() {
    check("ping", 204, Vec::new(), |_| frame(6, 0, 0, &[0; 8])).await;
}

#[tokio::test]
async fn settings_are_bounded() {
    check("settings", 40, Vec::new(), |_| frame(4, 0, 0, &[])).await;
}

#[tokio::test]
async fn priorities_are_bounded() {
    check("priority", 204, Vec::new(), |at| frame(2, 0, 2 * at + 1, &[0, 0, 0, 0, 1])).await;
}

#[tokio::test]
async fn window_updates_are_bounded() {
    check("window update", 2_004, Vec::new(), |_| frame(8, 0, 0, &[0, 0, 0, 1])).await;
}

#[tokio::test]
async fn requests_taken_back_are_bounded() {
    check("rapid reset", 404, Vec::new(), |at| {
        let stream = 2 * at + 1;
        let mut bytes = frame(1, 5, stream, &fields());
        bytes.extend(frame(3, 0, stream, &[0, 0, 0, 8]));
        bytes
    })
    .await;
}

#[tokio::test]
async fn resets_that_the_caller_provokes_are_bounded() {
    check("made reset", 204, Vec::new(), |at| {
        let stream = 2 * at + 1;
        let mut block = fields();
        // A field of a connection.
        block.extend_from_slice(b"\x00\x0aconnection\x05close");
        frame(1, 5, stream, &block)
    })
    .await;
}

#[tokio::test]
async fn big_continuations_are_bounded() {
    let field = |_| {
        let mut block = vec![0x00, 1, b'x', 0x7f, 0xc1, 0x3d];
        block.extend(vec![b'y'; 8_000]);
        frame(9, 0, 1, &block)
    };
    check("continuation", 12, frame(1, 0, 1, &fields()), field).await;
}

#[tokio::test]
async fn empty_continuations_are_bounded() {
    check("empty continuation", 130, frame(1, 0, 1, &fields()), |_| frame(9, 0, 1, &[])).await;
}

#[tokio::test]
async fn empty_data_is_bounded() {
    check("empty data", 132, opened(), |_| frame(0, 0, 1, &[])).await;
}

#[tokio::test]
async fn requests_that_refer_to_a_big_field_again_and_again_are_bounded() {
    let mut first = fields();
    // Goes to the table: `x` with 4,000 bytes.
    first.extend_from_slice(&[0x40, 1, b'x', 0x7f, 0xa1, 0x1e]);
    first.extend(vec![b'y'; 4_000]);
    check("references", 44, frame(1, 5, 1, &first), |at| {
        let mut block = fields();
        block.extend([0xbe; 60]);
        frame(1, 5, 2 * at + 3, &block)
    })
    .await;
}
