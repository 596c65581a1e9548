//! Who the command line proves to be: the files that `outrigger ca issue` writes into one folder.

use std::path::Path;

use outrigger_identity::Material;

use crate::problem::Problem;

/// The identity of `NAME.pem`, with `NAME.key` and `ca.pem` beside it.
pub fn load(certificate: &Path) -> Result<Material, Problem> {
    let authority = certificate.with_file_name("ca.pem");
    Material::load(certificate, &certificate.with_extension("key"), &authority).map_err(|cause| {
        Problem::configuration(format!("the identity {} cannot be used", certificate.display()))
            .because(cause)
            .next("outrigger ca issue --dir AUTHORITY operator/NAME --out DIR   writes the three files it needs")
    })
}
