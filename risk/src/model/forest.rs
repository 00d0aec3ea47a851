//! Trees, flat in memory: one row is scored in about a microsecond for a hundred trees.

/// A node: a question about one feature, or a leaf.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Node {
    /// The feature asked about; [`LEAF`] for a leaf.
    pub feature: u32,
    /// Less goes left; a leaf's value.
    pub value: f32,
    /// The left child; the right one follows it.
    pub left: u32,
    /// Whether a missing value goes left.
    pub missing_left: bool,
}

/// Marks a leaf.
pub const LEAF: u32 = u32::MAX;

/// Gradient-boosted trees for one margin.
#[derive(Clone, Debug, PartialEq)]
pub struct Forest {
    nodes: Vec<Node>,
    roots: Vec<u32>,
    /// The margin before any tree.
    base: f32,
    features: usize,
}

/// A tree as the formats write it: children by number, in no particular order.
#[derive(Clone, Copy, Debug)]
pub struct Raw {
    /// Feature, threshold, left, right, whether missing goes left; or a leaf's value.
    pub split: Option<(u32, f32, usize, usize, bool)>,
    /// A leaf's value.
    pub leaf: f32,
}

/// What is wrong with a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a usable model: {0}")]
pub struct Unusable(pub String);

impl Forest {
    /// An empty forest of so many features.
    #[must_use]
    pub const fn new(base: f32, features: usize) -> Self {
        Self {
            nodes: Vec::new(),
            roots: Vec::new(),
            base,
            features,
        }
    }

    /// Adds a tree, whose root is its first node.
    ///
    /// # Errors
    /// [`Unusable`] when it is no tree, or asks about a feature that there is not.
    pub fn add(&mut self, tree: &[Raw]) -> Result<(), Unusable> {
        let wrong = |what: &str| Unusable(format!("tree {}: {what}", self.roots.len()));
        if tree.is_empty() {
            return Err(wrong("no nodes"));
        }
        let start = self.nodes.len();
        let mut nodes = vec![blank()];
        // Breadth first, so that siblings stand together; each node is reached once, or it is no tree.
        let mut queue = std::collections::VecDeque::from([(0usize, 0usize)]);
        let mut reached = vec![false; tree.len()];
        while let Some((raw, place)) = queue.pop_front() {
            let node = tree.get(raw).ok_or_else(|| wrong("a child is missing"))?;
            if std::mem::replace(&mut reached[raw], true) {
                return Err(wrong("a node has two parents"));
            }
            let Some((feature, value, left, right, missing_left)) = node.split else {
                nodes[place].value = node.leaf;
                continue;
            };
            if feature as usize >= self.features {
                return Err(wrong("it asks about a feature that there is not"));
            }
            let child = nodes.len();
            nodes[place] = Node {
                feature,
                value,
                left: u32::try_from(start + child).map_err(|_| wrong("too many nodes"))?,
                missing_left,
            };
            nodes.extend([blank(), blank()]);
            queue.extend([(left, child), (right, child + 1)]);
        }
        self.roots
            .push(u32::try_from(start).map_err(|_| wrong("too many nodes"))?);
        self.nodes.extend(nodes);
        Ok(())
    }

    /// The margin of a row: its log odds, for a model of probabilities.
    ///
    /// # Panics
    /// When the row is shorter than [`Forest::features`].
    #[must_use]
    pub fn margin(&self, row: &[f32]) -> f32 {
        assert!(row.len() >= self.features, "a row lacks features");
        let mut margin = self.base;
        for root in &self.roots {
            margin += self.nodes[self.leaf(*root, row) as usize].value;
        }
        margin
    }

    fn leaf(&self, root: u32, row: &[f32]) -> u32 {
        let mut at = root;
        loop {
            let node = &self.nodes[at as usize];
            if node.feature == LEAF {
                return at;
            }
            let value = row[node.feature as usize];
            let left = value < node.value || (value.is_nan() && node.missing_left);
            at = node.left + u32::from(!left);
        }
    }

    /// How much each feature moved the margin of a row, by the change of the expected margin at
    /// each step of its path (Saabas), and what no feature explains. They add up to the margin.
    ///
    /// This takes a row's own path only, so it costs what scoring costs; it can favour features
    /// near the leaves, which is good enough for reasons in words.
    #[must_use]
    pub fn contributions(&self, expected: &[f32], row: &[f32]) -> (Vec<f32>, f32) {
        let mut parts = vec![0.0; self.features];
        let mut rest = self.base;
        for root in &self.roots {
            let mut at = *root;
            rest += expected[at as usize];
            loop {
                let node = &self.nodes[at as usize];
                if node.feature == LEAF {
                    break;
                }
                let value = row[node.feature as usize];
                let left = value < node.value || (value.is_nan() && node.missing_left);
                let next = node.left + u32::from(!left);
                parts[node.feature as usize] += expected[next as usize] - expected[at as usize];
                at = next;
            }
        }
        (parts, rest)
    }

    /// The margin to be expected at each node: the mean over the rows that come by, or over both
    /// children where none does.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // Counts of rows.
    pub fn expected<'a>(&self, rows: impl Iterator<Item = &'a [f32]>) -> Vec<f32> {
        let mut came = vec![0u32; self.nodes.len()];
        for row in rows {
            for root in &self.roots {
                let mut at = *root;
                came[at as usize] += 1;
                while self.nodes[at as usize].feature != LEAF {
                    let node = &self.nodes[at as usize];
                    let value = row[node.feature as usize];
                    let left = value < node.value || (value.is_nan() && node.missing_left);
                    at = node.left + u32::from(!left);
                    came[at as usize] += 1;
                }
            }
        }
        let mut expected: Vec<f32> = self.nodes.iter().map(|node| node.value).collect();
        for at in (0..self.nodes.len()).rev() {
            let node = &self.nodes[at];
            if node.feature == LEAF {
                continue;
            }
            let (left, right) = (node.left as usize, node.left as usize + 1);
            let weights = match (came[left], came[right]) {
                (0, 0) => (1.0, 1.0),
                (left, right) => (left as f32, right as f32),
            };
            expected[at] = (expected[left] * weights.0 + expected[right] * weights.1)
                / (weights.0 + weights.1);
        }
        expected
    }

    /// How many questions are about each feature.
    #[must_use]
    pub fn asked(&self) -> Vec<usize> {
        let mut asked = vec![0; self.features];
        for node in self.nodes.iter().filter(|node| node.feature != LEAF) {
            asked[node.feature as usize] += 1;
        }
        asked
    }

    /// How many features a row has.
    #[must_use]
    pub const fn features(&self) -> usize {
        self.features
    }

    /// How many trees there are.
    #[must_use]
    pub fn trees(&self) -> usize {
        self.roots.len()
    }

    /// How many nodes there are.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }
}

const fn blank() -> Node {
    Node {
        feature: LEAF,
        value: 0.0,
        left: 0,
        missing_left: false,
    }
}

/// The probability of log odds.
#[must_use]
pub fn sigmoid(margin: f64) -> f64 {
    1.0 / (1.0 + (-margin).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(feature: u32, value: f32, left: usize, right: usize) -> Raw {
        let split = Some((feature, value, left, right, true));
        Raw { split, leaf: 0.0 }
    }

    fn leaf(leaf: f32) -> Raw {
        Raw { split: None, leaf }
    }

    #[test]
    fn a_row_finds_its_leaf() {
        let mut forest = Forest::new(0.5, 2);
        // The children stand in reverse, and apart.
        let tree = [
            split(0, 1.0, 4, 1),
            split(1, 2.0, 3, 2),
            leaf(30.0),
            leaf(20.0),
            leaf(10.0),
        ];
        forest.add(&tree).unwrap();
        forest.add(&[leaf(1.0)]).unwrap();
        for (row, wanted) in [
            ([0.0, 9.0], 11.5),
            ([f32::NAN, 9.0], 11.5),
            ([1.0, 0.0], 21.5),
            ([1.0, 2.0], 31.5),
        ] {
            assert_eq!(forest.margin(&row), wanted, "{row:?}");
            let rows: Vec<[f32; 2]> = vec![[0.0, 0.0], [1.0, 0.0], [1.0, 5.0]];
            let expected = forest.expected(rows.iter().map(<[f32; 2]>::as_slice));
            let (parts, rest) = forest.contributions(&expected, &row);
            assert!((parts.iter().sum::<f32>() + rest - wanted).abs() < 1e-4);
        }
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        for tree in [
            vec![],
            vec![split(0, 1.0, 0, 0)],
            vec![split(0, 1.0, 1, 2), leaf(1.0)],
            vec![split(9, 1.0, 1, 2), leaf(1.0), leaf(2.0)],
        ] {
            assert!(Forest::new(0.0, 2).add(&tree).is_err(), "{tree:?}");
        }
    }
}
