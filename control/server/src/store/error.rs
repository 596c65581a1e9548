//! What can fail about a store, and what to do about it.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("store {path}: cannot be opened; check that its folder exists and that this user may write there")]
    Unreachable {
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("store {path}: another control has it open; stop that one, or give this one a store of its own")]
    Busy { path: PathBuf },
    #[error("store {path}: is not an SQLite database; move it aside or name another file in `store`")]
    NotADatabase { path: PathBuf },
    #[error("store {path}: is the database of another program; name another file in `store`")]
    Foreign { path: PathBuf },
    #[error("store {path}: was written by a newer outrigger; run that one, or name another file in `store`")]
    Newer { path: PathBuf },
    #[error(
        "store {path}: is damaged ({detail}); move it and its -wal and -shm files aside, start again, and the proxies will register anew"
    )]
    Damaged { path: PathBuf, detail: String },
    #[error("intent {number} is stored already and is not written over")]
    IntentTwice { number: u64 },
    #[error("store {path}: {doing} failed")]
    Sql {
        path: PathBuf,
        doing: &'static str,
        #[source]
        cause: sqlx::Error,
    },
    #[error("store {place}: cannot be reached; check the address, the user and its password, and that PostgreSQL runs")]
    Away {
        place: String,
        #[source]
        cause: sqlx::Error,
    },
    #[error("store {place}: the file of its password cannot be read")]
    Password {
        place: String,
        #[source]
        cause: std::io::Error,
    },
    #[error("store {place}: the schema cannot be made or brought up to date; its user needs CREATE on the database")]
    Schema {
        place: String,
        #[source]
        cause: sqlx::Error,
    },
    #[error("store {place}: was written by a newer outrigger; run that one, or name another `schema`")]
    NewerSchema { place: String },
    #[error(
        "store {place}: is damaged ({detail}); restore a backup of it, or name another `schema` and the proxies will register anew"
    )]
    DamagedRows { place: String, detail: String },
    #[error("store {place}: {doing} failed")]
    Database {
        place: String,
        doing: &'static str,
        #[source]
        cause: sqlx::Error,
    },
    #[error("store {place}: no answer to {doing} in time")]
    Late { place: String, doing: &'static str },
    #[error("store {place}: another control leads now")]
    Deposed { place: String },
}
