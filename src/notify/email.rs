//! `[notify.email]`: plain text by SMTP. All that is told of one deployment is one conversation, whichever run tells it.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{FromEnv, NotifierRow, Own, Text, Whole};
use crate::model::notice::Notice;
use crate::notify::words::{self, as_it_is, fit};
use crate::notify::{Delivery, Notifier, Parcel, Told, webhook};
use crate::world::mail::{self, Mail, Server};

pub(super) static NOTIFIER: Notifier = Notifier {
    row: NotifierRow::of::<Settings>(
        "email",
        "plain text by SMTP, one conversation for each deployment",
        &[&["host", "from", "to"]],
    ),
    plan,
};

/// The most characters of a subject: all of it is seen, and its line stays under the 998 bytes of RFC 5322.
const SUBJECT: usize = 200;
/// The most characters of why.
const REASON: usize = 20_000;

/// The keys of this notifier.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    /// The server.
    #[schemars(with = "String")]
    host: Option<String>,
    /// Its port; default: 587 with `starttls`, 465 with `tls`, 25 with `none`.
    #[schemars(with = "Whole<1, 65535>")]
    port: Option<Whole<1, 65_535>>,
    /// How the connection is protected; with `none` no login is sent.
    security: Security,
    /// Who logs in, with `password`.
    #[schemars(with = "String")]
    username: Option<String>,
    /// The password, as `env:NAME`.
    #[schemars(with = "Text<FromEnv>")]
    password: Option<Text<FromEnv>>,
    /// Who it is from: `name@host`, or `Name <name@host>`.
    #[schemars(with = "String")]
    from: Option<String>,
    /// Who gets it.
    to: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Security {
    /// It begins in the clear and must turn to TLS.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// Not at all.
    None,
}

fn plan(own: &Own, told: &Told<'_>) -> Result<Delivery, String> {
    let settings: Settings = own.read().map_err(|_| "its settings cannot be read".to_owned())?;
    let (host, from) = settings.host.zip(settings.from).ok_or("it needs `host`, `from` and `to`")?;
    let login = match (settings.username, settings.password) {
        (Some(username), Some(password)) => Some((username, told.secret(&password.0)?)),
        (None, None) => None,
        _ => return Err("`username` and `password` go together".to_owned()),
    };
    let (security, port) = match settings.security {
        Security::Starttls => (mail::Security::StartTls, 587),
        Security::Tls => (mail::Security::Tls, 465),
        Security::None if login.is_some() => {
            return Err("with security = \"none\" a password would be sent in the clear".to_owned());
        }
        Security::None => (mail::Security::None, 25),
    };
    let port = settings.port.and_then(|port| u16::try_from(port.0).ok()).unwrap_or(port);
    let mail = message(told.notice, from, settings.to, told.now);
    mail::written(&mail).map_err(|error| error.to_string())?;
    Ok(Delivery::Parcel(Parcel::Mail(Server { host, port, security, login }, mail)))
}

/// The mail about a notice.
pub(super) fn message(notice: &Notice, from: String, to: Vec<String>, at: u64) -> Mail {
    let title = words::title(notice);
    let mut body = format!("{title}\n\n");
    if let Some(reason) = words::reason(notice) {
        // Writing to a String cannot fail.
        let _ = writeln!(body, "{}\n", fit(&reason, REASON, as_it_is));
    }
    for (name, value) in words::facts(notice) {
        let _ = writeln!(body, "{name}: {value}");
    }
    if let Some(run) = words::run(notice) {
        let _ = writeln!(body, "Run: {run}");
    }
    let story = blake3::hash(format!("{}\0{}", notice.repository, notice.story).as_bytes()).to_hex();
    Mail {
        from,
        to,
        subject: fit(&title.replace(['\t', '\n'], " "), SUBJECT, as_it_is),
        body,
        id: format!("<{}@gatepost>", webhook::id(notice)),
        below: format!("<story_{}@gatepost>", &story[..32]),
        at,
    }
}
