//! Small matches that share a commit: a match writes a handful of records, and a commit has room for a
//! hundred, so that what each commit costs beside its records is shared.

use futures_util::{StreamExt, TryStreamExt, stream};
use lombard_core::command::{TOGETHER_MAX, TakeLines};

use super::{run::Failure, take::Teller};

/// Commits under way at once: they are independent of each other, and share a commit group. Fewer, and a
/// file waits for the disk more than it works.
const AT_ONCE: usize = 64;

/// The records that a settlement writes: payment, transaction, event.
pub const SETTLEMENT: usize = 3;
/// And where the rail's yes comes with it: another of both, and an entry and a balance.
pub const ARRIVAL: usize = 7;

/// What a match asks for.
pub struct Wish {
    /// Its steps in their order, or why there are none.
    pub steps: Result<Vec<TakeLines>, String>,
    /// The most records that they write.
    pub weight: usize,
}

/// Carries wishes out, those that fit together in one commit; tells of each why it was not taken in.
///
/// # Errors
/// See [`Failure`]; what was done stays done.
pub async fn taken(teller: Teller<'_>, wishes: Vec<Wish>) -> Result<Vec<Option<String>>, Failure> {
    let each: Vec<Vec<Option<String>>> = stream::iter(packs(wishes))
        .map(|pack| carry_out(teller, pack))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(each.into_iter().flatten().collect())
}

/// Wishes in their order, in packs that fit into a commit, or of one.
fn packs(wishes: Vec<Wish>) -> Vec<Vec<Wish>> {
    let mut packs: Vec<Vec<Wish>> = Vec::new();
    let mut room = 0;
    for wish in wishes {
        let small = wish
            .steps
            .as_ref()
            .is_ok_and(|steps| steps.len() == 1 && steps[0].returns.is_empty());
        match packs.last_mut() {
            Some(pack) if small && wish.weight <= room => {
                room -= wish.weight;
                pack.push(wish);
            }
            _ => {
                room = if small {
                    TOGETHER_MAX.saturating_sub(wish.weight)
                } else {
                    0
                };
                packs.push(vec![wish]);
            }
        }
    }
    packs
}

async fn carry_out(teller: Teller<'_>, pack: Vec<Wish>) -> Result<Vec<Option<String>>, Failure> {
    if pack.len() > 1 {
        let steps = pack.iter().filter_map(|it| it.steps.as_ref().ok());
        let steps: Vec<TakeLines> = steps.flatten().cloned().collect();
        if teller.carry_out_together(steps).await?.is_none() {
            return Ok(vec![None; pack.len()]);
        }
        // One of them is refused; the others are not to suffer for it.
    }
    let mut refused = Vec::with_capacity(pack.len());
    for wish in pack {
        refused.push(match wish.steps {
            Ok(steps) => teller.carry_out(steps).await?.map(|it| it.to_string()),
            Err(why) => Some(why),
        });
    }
    Ok(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_has_room_for_what_it_holds() {
        let wish = |weight: usize, steps: usize| Wish {
            steps: Ok(vec![TakeLines::default(); steps]),
            weight,
        };
        let sizes = |wishes| packs(wishes).iter().map(Vec::len).collect::<Vec<_>>();
        let small = || wish(4, 1);
        assert_eq!(sizes((0..50).map(|_| small()).collect()), [22, 22, 6]);
        // One of several steps, one that is too large and one that is refused are by themselves.
        let refused = Wish {
            steps: Err("no".to_owned()),
            weight: 1,
        };
        let mixed = vec![
            small(),
            wish(8, 2),
            small(),
            wish(200, 1),
            small(),
            refused,
            small(),
        ];
        assert_eq!(sizes(mixed), [1, 1, 1, 1, 1, 1, 1]);
        assert_eq!(sizes(vec![small(), wish(87, 1), wish(3, 1)]), [1, 2]);
    }
}
