//! How much a Glue catalog may send. The bounds are far above what AWS itself allows; a recipe may move them.
//!
//! Whatever is left out because of a bound is said, with the bound and the key of the recipe that moves it.

use std::fmt;

/// The bounds of one reading, which a recipe has in `limits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one answer.
    pub answer_size: Size,
    /// Databases or tables in one answer.
    pub answer_rows: usize,
    /// Bytes of what is sent about one database or table.
    pub table_size: Size,
    /// Columns of one table, nested ones too.
    pub table_columns: usize,
    /// Bytes of the name of a database or table.
    pub name_size: Size,
    /// Pages of one listing.
    pub pages_per_listing: usize,
    /// Pages of all listings together.
    pub pages: usize,
    pub databases: usize,
    pub tables_per_database: usize,
}

/// How many bytes the name of a database has at most, in the middle; AWS allows 255.
const NAME: usize = 512;

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer_size: Size::mebibytes(16),
            answer_rows: 10_000,
            table_size: Size::mebibytes(4),
            table_columns: 10_000,
            name_size: Size(16 << 10),
            pages_per_listing: 5_000,
            pages: 50_000,
            databases: 10_000,
            tables_per_database: 500_000,
        }
    }
}

/// Which bound was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    AnswerSize,
    AnswerRows,
    TableSize,
    TableColumns,
    /// What nested types take when each level is written out, which follows from the size of a table.
    TypesSize,
    NameSize,
    PagesPerListing,
    Pages,
    Databases,
    TablesPerDatabase,
}

impl Limits {
    /// How many bytes the names of all databases may have together; they are kept until the reading ends.
    pub(super) fn names_size(&self) -> usize {
        self.databases.saturating_mul(NAME)
    }

    /// How many bytes the nested types of a table may take.
    pub(super) fn types_size(&self) -> Size {
        Size(self.table_size.0.saturating_mul(2))
    }

    /// Says that something has more than a bound allows, and what to set.
    pub(super) fn exceeded(&self, what: &str, bound: Bound) -> String {
        let (key, allowed) = match bound {
            Bound::AnswerSize => ("answer_size", self.answer_size.to_string()),
            Bound::AnswerRows => ("answer_rows", format!("{} entries", self.answer_rows)),
            Bound::TableSize => ("table_size", self.table_size.to_string()),
            Bound::TypesSize => ("table_size", self.types_size().to_string()),
            Bound::TableColumns => ("table_columns", format!("{} columns", self.table_columns)),
            Bound::NameSize => ("name_size", self.name_size.to_string()),
            Bound::PagesPerListing => (
                "pages_per_listing",
                format!("{} pages", self.pages_per_listing),
            ),
            Bound::Pages => ("pages", format!("{} pages", self.pages)),
            Bound::Databases => ("databases", format!("{} databases", self.databases)),
            Bound::TablesPerDatabase => (
                "tables_per_database",
                format!("{} tables", self.tables_per_database),
            ),
        };
        format!(
            "{what} more than {allowed}, which is as much as the recipe allows. If that is right, raise “{key}” in its \
             “limits”."
        )
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub usize);

/// The units of a size, the largest first.
const UNITS: [(&str, usize); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

impl Size {
    const fn mebibytes(count: usize) -> Self {
        Self(count << 20)
    }

    /// Reads a whole number of a unit, such as `16 MiB` or `512 B`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at_checked(digits)?;
        let unit = unit.trim_start();
        let (_, bytes) = UNITS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
        let size = number.parse::<usize>().ok()?.checked_mul(*bytes)?;
        (size > 0).then_some(Self(size))
    }
}

/// In the largest unit of which it is a whole number.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |(_, bytes): &&(&str, usize)| self.0.is_multiple_of(*bytes);
        let (unit, bytes) = UNITS.iter().find(whole).unwrap_or(&("B", 1));
        write!(f, "{} {unit}", self.0 / bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_whole_number_of_a_unit() {
        for (text, bytes) in [
            ("1 B", 1),
            ("512B", 512),
            ("2 kib", 2048),
            (" 16 MiB ", 16 << 20),
        ] {
            assert_eq!(Size::parse(text), Some(Size(bytes)), "{text}");
        }
        for text in [
            "",
            "16",
            "MiB",
            "-1 B",
            "1.5 MiB",
            "0 B",
            "99999999999999999999 B",
            "1 TB",
        ] {
            assert_eq!(Size::parse(text), None, "{text}");
        }
        assert_eq!(Size(16 << 20).to_string(), "16 MiB");
        assert_eq!(Size(1_500).to_string(), "1500 B");
    }

    #[test]
    fn what_exceeds_a_bound_says_which_and_what_to_set() {
        assert_eq!(
            Limits::default().exceeded("The table has", Bound::TableColumns),
            "The table has more than 10000 columns, which is as much as the recipe allows. If that is right, raise \
             “table_columns” in its “limits”."
        );
    }
}
