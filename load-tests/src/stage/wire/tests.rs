use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

#[tokio::test]
async fn a_wire_carries_until_it_is_cut_and_then_says_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (_to, known) = watch::channel(Some(listener.local_addr().unwrap()));
    let mut wire = Wire::lay(known).unwrap();
    let mut near = TcpStream::connect(wire.address).await.unwrap();
    let (mut far, _) = listener.accept().await.unwrap();
    near.write_all(b"there").await.unwrap();
    let mut heard = [0; 5];
    far.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"there");

    wire.cut().await.unwrap();
    near.write_all(b"lost?").await.unwrap();
    assert!(
        timeout(SILENT_AFTER, far.read(&mut heard)).await.is_err(),
        "what was connected is neither closed nor carried"
    );
    assert!(timeout(SILENT_AFTER, near.read(&mut heard)).await.is_err());
    assert!(timeout(SILENT_AFTER, TcpStream::connect(wire.address)).await.is_err(), "nobody new is let in or refused");
}
