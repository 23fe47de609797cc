//! Mail by SMTP. A password never travels in the clear: without TLS there is no login, and a server that offers none
//! where it was asked for gets nothing.

use std::time::{Duration, SystemTime};

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Mailboxes};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use crate::model::secret::Secret;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// It begins in the clear and must turn to TLS before anything is said.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// Not at all; no login is sent.
    None,
}

/// Who takes mail.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// A user and a password.
    pub login: Option<(String, Secret)>,
}

/// One mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// `name@host`, or `Name <name@host>`.
    pub from: String,
    /// The same.
    pub to: Vec<String>,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// `<id@host>`: the same mail has the same one however often it is sent.
    pub id: String,
    /// The id of the mail that this one belongs below.
    pub below: String,
    /// Seconds since 1970.
    pub at: u64,
}

/// A mail that was not taken.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// It is none.
    #[error("the mail cannot be written: {0}")]
    Mail(String),
    /// The server did not take it.
    #[error("{server} did not take the mail: {why}")]
    NotTaken {
        /// Who.
        server: String,
        /// What it said.
        why: String,
        /// Whether the same may work a moment later.
        may_pass: bool,
    },
    /// It took too long.
    #[error("{server} did not take the mail within {after:?}")]
    TimedOut {
        /// Who.
        server: String,
        /// How long was waited.
        after: Duration,
    },
}

impl MailError {
    /// Whether the same may work a moment later.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Mail(_) => false,
            Self::NotTaken { may_pass, .. } => *may_pass,
            Self::TimedOut { .. } => true,
        }
    }
}

/// The mail as it is sent.
///
/// # Errors
/// When an address is none.
pub fn written(mail: &Mail) -> Result<Vec<u8>, MailError> {
    message(mail).map(|message| message.formatted())
}

fn message(mail: &Mail) -> Result<Message, MailError> {
    let wrong = |what: &str, error: &dyn std::fmt::Display| MailError::Mail(format!("{what}: {error}"));
    let from: Mailbox = mail.from.parse().map_err(|error| wrong(&mail.from, &error))?;
    let mut to = Mailboxes::new();
    for address in &mail.to {
        to.push(address.parse().map_err(|error| wrong(address, &error))?);
    }
    Message::builder()
        .from(from)
        .mailbox(lettre::message::header::To::from(to))
        .subject(&mail.subject)
        .date(SystemTime::UNIX_EPOCH + Duration::from_secs(mail.at))
        .message_id(Some(mail.id.clone()))
        .in_reply_to(mail.below.clone())
        .references(mail.below.clone())
        .header(ContentType::TEXT_PLAIN)
        .body(mail.body.clone())
        .map_err(|error| wrong("the message", &error))
}

/// Hands a mail to a server, once.
///
/// # Errors
/// When it was not taken whole.
pub async fn send(server: &Server, mail: &Mail, timeout: Duration) -> Result<(), MailError> {
    let message = message(mail)?;
    let name = format!("{}:{}", server.host, server.port);
    let not_taken = |error: &lettre::transport::smtp::Error| MailError::NotTaken {
        server: name.clone(),
        why: crate::model::text::one_line(&error.to_string(), 300),
        may_pass: !(error.is_permanent() || error.is_client() || error.is_tls()),
    };
    let tls = || TlsParameters::new(server.host.clone()).map_err(|error| not_taken(&error));
    let tls = match server.security {
        Security::StartTls => Tls::Required(tls()?),
        Security::Tls => Tls::Wrapper(tls()?),
        Security::None => Tls::None,
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
        .port(server.port)
        .tls(tls)
        .timeout(Some(timeout));
    if let (Some((user, password)), true) = (&server.login, server.security != Security::None) {
        builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
    }
    let transport = builder.build();
    match tokio::time::timeout(timeout, transport.send(message)).await {
        Err(_) => Err(MailError::TimedOut { server: name, after: timeout }),
        Ok(Err(error)) => Err(not_taken(&error)),
        Ok(Ok(_)) => Ok(()),
    }
}
