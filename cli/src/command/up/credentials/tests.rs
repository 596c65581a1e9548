use std::os::unix::fs::PermissionsExt as _;

use super::Credentials;
use crate::identity;

#[test]
fn the_operator_gets_an_identity_that_goes_with_the_mesh() {
    let credentials = Credentials::make().unwrap();
    assert_eq!(credentials.control.id().to_string(), "spiffe://local/control");
    assert_eq!(credentials.proxy.id().to_string(), "spiffe://local/node/up");
    let operator = credentials.operator();
    assert_eq!(identity::load(&operator).unwrap().id().to_string(), "spiffe://local/operator/you");
    let folder = operator.parent().unwrap().to_owned();
    assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    drop(credentials);
    assert!(!folder.exists());
}
