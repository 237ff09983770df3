//! Reading settings, which are texts.

use crate::config::Problems;

/// A setting that there has to be.
pub(super) fn need(
    text: Option<&String>,
    variable: &str,
    what: &str,
    problems: &mut Problems,
) -> Option<String> {
    let text = given(text);
    if text.is_none() {
        problems.note(format!("{variable} is missing: {what}."));
    }
    text
}

/// A setting that is one of two words.
pub(super) fn truth(text: Option<&String>, variable: &str, problems: &mut Problems) -> bool {
    match given(text).map(|word| word.to_ascii_lowercase()).as_deref() {
        None | Some("false" | "no" | "0") => false,
        Some("true" | "yes" | "1") => true,
        Some(word) => {
            problems.note(format!("{variable} is “true” or “false”, not “{word}”."));
            false
        }
    }
}

/// A setting's text; an empty one is none.
pub(super) fn given(text: Option<&String>) -> Option<String> {
    let text = text?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Tells whether an address leads to this machine, so that nobody else can listen in.
pub(super) fn is_this_machine(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        // Schemes that it does not know leave addresses as names.
        None => false,
    }
}
