//! How far apart two texts are.

/// How many letters must be put in, taken out, changed, or swapped with their neighbour, to make
/// one text of the other (the restricted Damerau-Levenshtein distance).
#[must_use]
#[allow(clippy::needless_range_loop)] // Each cell looks at three others by their places.
pub fn edits(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for row in 1..=one.len() {
        let mut current = vec![row; other.len() + 1];
        for column in 1..=other.len() {
            let same = one[row - 1] == other[column - 1];
            let change = above[column - 1] + usize::from(!same);
            let mut best = change.min(above[column] + 1).min(current[column - 1] + 1);
            let swapped = row > 1
                && column > 1
                && one[row - 1] == other[column - 2]
                && one[row - 2] == other[column - 1];
            if swapped {
                best = best.min(before[column - 2] + 1);
            }
            current[column] = best;
        }
        before = std::mem::replace(&mut above, current);
    }
    above[other.len()]
}

#[cfg(test)]
mod tests {
    use super::edits;

    #[test]
    fn a_swap_is_one_edit() {
        for (one, other, wanted) in [
            ("", "abc", 3),
            ("amount", "amount", 0),
            ("amuont", "amount", 1),
            ("paye_count_1h", "payee_count_1h", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(edits(one, other), wanted, "{one} {other}");
            assert_eq!(edits(other, one), wanted, "{other} {one}");
        }
    }
}
