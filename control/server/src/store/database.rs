//! A PostgreSQL database as operators name it: `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE[?KEY=VALUE…]`.
//!
//! In: the URL; the environment of libpq (`PGPASSWORD`, `PGPASSFILE`, `PGSSLMODE` …) for what it does not say. Out: how to connect.
//! Invariant: no text of any kind shows a password: not `Debug`, not `Display`, not an error.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// The schema that holds our tables, so that they stand beside those of others.
const SCHEMA_DEFAULT: &str = "outrigger";
const SCHEMA_BYTES_MAX: usize = 48;
/// What may stand behind the `?`; everything else is refused rather than ignored.
const KEYS: &[&str] =
    &["host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "application_name", "schema", "password_file"];

#[derive(Clone, PartialEq, Eq)]
pub struct Database {
    /// For sqlx; may hold a password.
    url: String,
    schema: String,
    password_file: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadDatabase {
    #[error("it is no URL of the form postgres://USER@HOST/DATABASE; write special characters of a password as %XX")]
    Url,
    #[error("its parameter `{0}` is not known; these are: {keys}", keys = KEYS.join(", "))]
    Key(String),
    #[error("its `schema` is not a name of lower-case letters, digits and `_` that starts with a letter")]
    Schema,
}

impl Database {
    pub fn schema(&self) -> &str {
        &self.schema
    }

    pub fn within(self, folder: &Path) -> Self {
        Self { password_file: self.password_file.map(|file| folder.join(file)), ..self }
    }

    /// With the password of the file, as it is now.
    pub fn options(&self) -> std::io::Result<PgConnectOptions> {
        let options: PgConnectOptions =
            self.url.parse().map_err(|_| std::io::Error::other("the URL cannot be used"))?;
        match &self.password_file {
            None => Ok(options),
            Some(file) => Ok(options.password(std::fs::read_to_string(file)?.trim_end_matches(['\n', '\r']))),
        }
    }

    pub fn password_file(&self) -> Option<&Path> {
        self.password_file.as_deref()
    }

    /// Whether what is sent may be read on the way: it leaves this machine, and nothing demands TLS.
    pub fn is_exposed(&self) -> bool {
        let Ok(options) = self.url.parse::<PgConnectOptions>() else { return true };
        let host = options.get_host();
        let is_local = options.get_socket().is_some()
            || host.starts_with('/')
            || host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let demands_tls =
            matches!(options.get_ssl_mode(), PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull);
        !is_local && !demands_tls
    }
}

impl FromStr for Database {
    type Err = BadDatabase;

    fn from_str(text: &str) -> Result<Self, BadDatabase> {
        if !text.contains("://") {
            return Err(BadDatabase::Url);
        }
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut schema, mut password_file, mut rest) = (SCHEMA_DEFAULT.to_owned(), None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            match key {
                "schema" => schema = value.to_owned(),
                "password_file" => password_file = Some(PathBuf::from(value)),
                known if KEYS.contains(&known) => rest.push(pair),
                other => return Err(BadDatabase::Key(other.chars().take(32).collect())),
            }
        }
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let starts = schema.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        if !starts || schema.len() > SCHEMA_BYTES_MAX || !schema.bytes().all(is_name) {
            return Err(BadDatabase::Schema);
        }
        let url = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
        url.parse::<PgConnectOptions>().map_err(|_| BadDatabase::Url)?;
        Ok(Self { url, schema, password_file })
    }
}

impl fmt::Display for Database {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.url.parse::<PgConnectOptions>() {
            Ok(options) => {
                let (user, host, port) = (options.get_username(), options.get_host(), options.get_port());
                let socket = options.get_socket().map(|socket| socket.display().to_string());
                let host = socket.unwrap_or_else(|| host.to_owned());
                let name = options.get_database().unwrap_or(user);
                write!(out, "postgres://{user}@{host}:{port}/{name} schema {}", self.schema)
            }
            Err(_) => out.write_str("postgres://…"),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Database({self})")
    }
}

#[cfg(test)]
mod tests;
