//! Many rows in statements that a database has met before.

/// How many rows one statement writes at most, below both databases' limits on parameters.
const MOST: usize = 256;

/// Fewer rows than this are one statement, whatever their number.
const FEW: usize = 16;

/// Cuts rows into pieces whose lengths are powers of two, and a rest of few.
///
/// A statement for each number of rows would be another one each time, and reading a long statement takes SQLite a sixth
/// of what carrying it out takes; these are few, and every connection keeps them.
pub(crate) fn pieces<T>(mut rows: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    std::iter::from_fn(move || {
        let length = match rows.len() {
            0 => return None,
            few @ ..FEW => few,
            many => MOST.min(1 << many.ilog2()),
        };
        let rest = rows.split_off(length);
        Some(std::mem::replace(&mut rows, rest))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(rows: usize) -> Vec<usize> {
        pieces(vec![(); rows]).map(|piece| piece.len()).collect()
    }

    #[test]
    fn pieces_have_few_lengths_and_every_row_once() {
        assert_eq!(lengths(0), [0; 0]);
        assert_eq!(lengths(7), [7]);
        assert_eq!(lengths(507), [256, 128, 64, 32, 16, 11]);
        assert_eq!(lengths(1_024), [256; 4]);
        let joined: Vec<usize> = pieces((0..777).collect()).flatten().collect();
        assert_eq!(joined, (0..777).collect::<Vec<_>>());
    }
}
