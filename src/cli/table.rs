//! Tables of text on standard output.

use super::{Failure, print};

/// Prints rows under their headings, each column as wide as its longest text.
pub(super) fn print_table<const N: usize>(
    headings: [&str; N],
    rows: &[[String; N]],
) -> Result<(), Failure> {
    let mut widths = headings.map(|heading| heading.chars().count());
    for row in rows {
        for (width, text) in widths.iter_mut().zip(row) {
            *width = (*width).max(plain(text).chars().count());
        }
    }
    print(line(headings, widths))?;
    rows.iter()
        .try_for_each(|row| print(line(row.each_ref().map(String::as_str), widths)))
}

fn line<const N: usize>(texts: [&str; N], widths: [usize; N]) -> String {
    let padded: Vec<String> = texts
        .iter()
        .zip(widths)
        .map(|(text, width)| format!("{:width$}", plain(text)))
        .collect();
    padded.join("  ").trim_end().to_owned()
}

/// Text that cannot command a terminal, nor turn the rest of the line around.
fn plain(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars()
        .map(|c| {
            if c.is_control() || turns(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_columns_and_command_no_terminal() {
        let row = ["ana", "\u{1b}[2J\u{202e}x"].map(str::to_owned);
        let widths = [6, 7];
        assert_eq!(
            line(row.each_ref().map(String::as_str), widths),
            "ana     \u{fffd}[2J\u{fffd}x"
        );
    }
}
