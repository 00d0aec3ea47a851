//! An open element: how far its sequence has come, and where in the message it is.

use std::fmt::Write;

use crate::iso20022::schema::{Particle, Schema, Type, TypeId, key_of};
use crate::iso20022::violation::Rule;

/// An open element.
pub(super) struct Frame {
    pub(super) name: &'static str,
    pub(super) kind: TypeId,
    /// Its number among its like, from 1, where there may be several.
    pub(super) index: Option<u32>,
    /// The place of the last child in the sequence, and which alternative it is.
    particle: usize,
    chosen: usize,
    /// How often that child has occurred.
    pub(super) count: u32,
    /// The places that have been filled, one bit each.
    seen: u64,
}

/// What a child is to an open element.
pub(super) enum Child {
    /// An element of its type, and the rule that it breaks by being here, if any. It is validated all
    /// the same.
    Placed(Frame, Option<(Rule, String)>),
    /// The content of an open element, which is not looked at.
    Open,
    /// Nothing that belongs here.
    Misplaced(Rule, String),
}

impl Frame {
    pub(super) const fn new(name: &'static str, kind: TypeId, index: Option<u32>) -> Self {
        Self {
            name,
            kind,
            index,
            particle: 0,
            chosen: 0,
            count: 0,
            seen: 0,
        }
    }

    /// Says what an element of a name is here, of the message's `own` namespace or of another.
    pub(super) fn child(
        &mut self,
        schema: &'static Schema,
        name: &str,
        own: bool,
        namespace: &str,
    ) -> Child {
        let misplaced = |reason: &str| Child::Misplaced(Rule::UnexpectedElement, reason.to_owned());
        match schema.kind(self.kind) {
            Type::Any(of) => {
                self.count += 1;
                if self.count == 1 && (*of == "*" || *of == namespace) {
                    return Child::Open;
                }
                misplaced("is not expected in an open content")
            }
            Type::Text(_) | Type::Attributed { .. } => {
                misplaced("is inside an element that holds text")
            }
            Type::Elements(_) if !own => misplaced("is of another namespace"),
            Type::Elements(particles) => {
                let placed = self.place(particles, name);
                placed.unwrap_or_else(|| misplaced("is not an element of this type"))
            }
        }
    }

    /// Finds the place of a child in the sequence.
    ///
    /// The search goes forward from the last child, so that elements in order cost little.
    fn place(&mut self, particles: &'static [Particle], name: &str) -> Option<Child> {
        let start = self.particle.min(particles.len());
        let (at, chosen) = find(&particles[start..], name)
            .map(|(at, chosen)| (at + start, chosen))
            .or_else(|| find(&particles[..start], name))?;
        let element = &particles[at].alternatives[chosen];
        let seen_before = self.seen >> at & 1 == 1;
        let breach = if at < self.particle {
            let reason = "is out of order: what follows it in the schema has come already";
            Some((Rule::UnexpectedElement, reason.to_owned()))
        } else if !seen_before {
            (self.particle, self.chosen, self.count) = (at, chosen, 0);
            None
        } else if chosen != self.chosen {
            let reason = "is one of a choice, and another of it has come already";
            Some((Rule::UnexpectedElement, reason.to_owned()))
        } else if self.count >= element.max {
            let reason = format!("may occur {} times at most", element.max);
            Some((Rule::MaxOccurs, reason))
        } else {
            None
        };
        self.seen |= 1 << at;
        self.count = self.count.saturating_add(1);
        let index = (element.max > 1).then_some(self.count);
        Some(Child::Placed(
            Self::new(element.name, element.kind, index),
            breach,
        ))
    }

    /// The required places that were not filled: the element's name, or none for a choice.
    pub(super) fn missing(&self, particles: &'static [Particle]) -> Vec<(&'static str, String)> {
        let required = particles
            .iter()
            .enumerate()
            .filter(|(_, particle)| particle.is_required());
        let unfilled = required.filter(|(at, _)| self.seen >> at & 1 == 0);
        let missing = unfilled.map(|(_, particle)| match particle.alternatives.as_slice() {
            [only] => (only.name, "is missing".to_owned()),
            several => {
                let names: Vec<_> = several.iter().map(|element| element.name).collect();
                ("", format!("one of {} is missing", names.join(", ")))
            }
        });
        missing.collect()
    }

    /// The required places before the present one that were not filled; they are not told again.
    pub(super) fn missing_before(
        &mut self,
        schema: &'static Schema,
    ) -> Vec<(&'static str, String)> {
        let Type::Elements(particles) = schema.kind(self.kind) else {
            return Vec::new();
        };
        let before = particles.get(..self.particle).unwrap_or_default();
        let missing = self.missing(before);
        self.seen |= (1 << self.particle) - 1;
        missing
    }
}

fn find(particles: &[Particle], name: &str) -> Option<(usize, usize)> {
    let key = key_of(name);
    particles.iter().enumerate().find_map(|(at, particle)| {
        let chosen = particle
            .alternatives
            .iter()
            .position(|element| element.key == key && element.name == name)?;
        Some((at, chosen))
    })
}

/// `/Document/…/PmtInf[2]/…`, and `part` of the innermost element if it is not empty.
pub(super) fn path(frames: &[Frame], part: &str) -> String {
    let mut path = String::new();
    for frame in frames {
        path.push('/');
        path.push_str(frame.name);
        if let Some(index) = frame.index {
            // Writing to a string does not fail.
            let _ = write!(path, "[{index}]");
        }
    }
    if !part.is_empty() {
        path.push('/');
        path.push_str(part);
    }
    path
}
