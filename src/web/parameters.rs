//! Reading the query of an address, with refusals that name the parameter.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::ops::RangeInclusive;
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use uuid::Uuid;

use super::failure::Failure;
use crate::db::{Cursor, PageRequest};

/// What stands behind the `?` of an address, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl FromRequest for Parameters {
    type Error = Infallible;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::read(request.query_string())))
    }
}

impl From<Vec<(String, String)>> for Parameters {
    /// What a form sent, in order.
    fn from(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }
}

impl Parameters {
    /// Reads a query, which is never wrong as a whole.
    pub(super) fn read(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| {
                    let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(text))
                })
                .collect(),
        )
    }

    /// The text of a parameter, empty if it is not there.
    pub(crate) fn text<'a>(&'a self, name: &'a str) -> &'a str {
        self.all(name).next().unwrap_or_default()
    }

    /// Whether a parameter is there, even without a text.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(given, _)| given == name)
    }

    /// All that has a text, by name and in order.
    pub(crate) fn filled(&self) -> impl Iterator<Item = (&str, &str)> {
        let filled = self.0.iter().filter(|(_, text)| !text.is_empty());
        filled.map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// Every text of a parameter that may be repeated, without empty ones.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(given, text)| given == name && !text.is_empty())
            .map(|(_, text)| text.as_str())
    }

    /// Whether a switch is on: `name`, `name=1` or `name=true`.
    pub(crate) fn switch(&self, name: &'static str) -> Result<bool, Failure> {
        let given = self.0.iter().find(|(given, _)| given == name);
        match given.map(|(_, text)| text.as_str()) {
            None | Some("0" | "false") => Ok(false),
            Some("" | "1" | "true") => Ok(true),
            Some(_) => Err(Failure::bad_parameter(
                name,
                format!("“{name}” is either true or false."),
            )),
        }
    }

    /// A whole number within `range`, or `otherwise` if it is not there.
    pub(crate) fn number(
        &self,
        name: &'static str,
        otherwise: usize,
        range: RangeInclusive<usize>,
    ) -> Result<usize, Failure> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(otherwise);
        }
        text.parse()
            .ok()
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                let (least, most) = range.into_inner();
                Failure::bad_parameter(
                    name,
                    format!("“{name}” is a whole number from {least} to {most}."),
                )
            })
    }

    /// An id, if it is there.
    pub(crate) fn id(&self, name: &'static str) -> Result<Option<Uuid>, Failure> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(None);
        }
        match text.parse() {
            Ok(id) => Ok(Some(id)),
            Err(_) => Err(Failure::bad_parameter(
                name,
                format!("“{name}” is an id such as 01980a5e-7c1b-7def-8a90-1b2c3d4e5f60."),
            )),
        }
    }

    /// Every text of a parameter, read as something that explains what is wrong with it.
    pub(crate) fn each<T>(&self, name: &'static str) -> Result<Vec<T>, Failure>
    where
        T: FromStr<Err: std::fmt::Display>,
    {
        self.all(name)
            .map(|text| {
                text.parse()
                    .map_err(|wrong: T::Err| Failure::bad_parameter(name, wrong.to_string()))
            })
            .collect()
    }

    /// Likewise the first text of it; what is usual without one.
    pub(crate) fn one<T>(&self, name: &'static str) -> Result<T, Failure>
    where
        T: FromStr<Err: std::fmt::Display> + Default,
    {
        Ok(self.each(name)?.into_iter().next().unwrap_or_default())
    }

    /// Which page of a list is wanted: `after` and `limit`.
    pub(crate) fn page(&self, otherwise: usize) -> Result<PageRequest, Failure> {
        let limit = self.number("limit", otherwise, 1..=100)?;
        let after = self.all("after").next().map(Cursor::from_text);
        Ok(PageRequest::new(after, limit as u64))
    }
}

/// Undoes the encoding of a query; what is no valid text becomes replacement characters.
fn decode(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut ahead = bytes.clone();
                let digits = ahead.next().and_then(hex).zip(ahead.next().and_then(hex));
                match digits {
                    Some((high, low)) => {
                        bytes = ahead;
                        high * 16 + low
                    }
                    None => b'%',
                }
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_query_can_be_read() {
        let read = |query, name: &str| Parameters::read(query).text(name).to_owned();
        assert_eq!(read("q=a+b%20c%26", "q"), "a b c&");
        assert_eq!(read("q=100%&x", "q"), "100%");
        assert_eq!(read("q=%zz%4", "q"), "%zz%4");
        assert_eq!(read("q=%ff", "q"), "\u{fffd}");
        assert_eq!(read("&&=&q", "q"), "");
        assert_eq!(read("", "q"), "");
    }

    #[test]
    fn numbers_stay_in_their_range() {
        let limit = |query| Parameters::read(query).number("limit", 20, 1..=100);
        assert_eq!(limit("").unwrap(), 20);
        assert_eq!(limit("limit=100").unwrap(), 100);
        for odd in ["limit=0", "limit=101", "limit=abc", "limit=-1", "limit=1e3"] {
            let refusal = limit(odd).unwrap_err().to_string();
            assert_eq!(refusal, "“limit” is a whole number from 1 to 100.", "{odd}");
        }
    }

    #[test]
    fn a_repeated_parameter_keeps_all_its_texts() {
        let parameters = Parameters::read("kind=table&kind=&kind=view");
        assert_eq!(
            parameters.all("kind").collect::<Vec<_>>(),
            ["table", "view"]
        );
    }
}
