//! Calibration: from margins to probabilities that mean what they say (Platt's method).

use serde::{Deserialize, Serialize};

use super::forest::sigmoid;

/// `probability = sigmoid(slope * margin + offset)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// How much a margin counts.
    pub slope: f64,
    /// What is added.
    pub offset: f64,
}

impl Default for Calibration {
    /// Margins are taken for log odds as they are.
    fn default() -> Self {
        Self {
            slope: 1.0,
            offset: 0.0,
        }
    }
}

const ROUNDS: usize = 50;
/// Draws the slope towards 1 as so many rows would.
const RIDGE: f64 = 1.0;

impl Calibration {
    /// Fits to margins of rows that the model was not trained on, by Newton's method.
    #[must_use]
    pub fn fit(margins: &[f64], labels: &[bool]) -> Self {
        let mut fit = Self::default();
        for _ in 0..ROUNDS {
            let (mut g_slope, mut g_offset) = (RIDGE * (fit.slope - 1.0), 0.0);
            let (mut h_ss, mut h_so, mut h_oo) = (RIDGE, 0.0, 1e-9);
            for (margin, label) in margins.iter().zip(labels) {
                let p = fit.probability(*margin);
                let (error, weight) = (p - f64::from(u8::from(*label)), p * (1.0 - p));
                g_slope += error * margin;
                g_offset += error;
                h_ss += weight * margin * margin;
                h_so += weight * margin;
                h_oo += weight;
            }
            let determinant = h_ss * h_oo - h_so * h_so;
            if determinant.abs() < 1e-12 {
                break;
            }
            let slope = (h_oo * g_slope - h_so * g_offset) / determinant;
            let offset = (h_ss * g_offset - h_so * g_slope) / determinant;
            // A step is bounded, so that a set that separates perfectly does not run away.
            fit.slope = (fit.slope - slope.clamp(-0.5, 0.5)).clamp(0.2, 5.0);
            fit.offset = (fit.offset - offset.clamp(-1.0, 1.0)).clamp(-10.0, 10.0);
            if slope.abs() + offset.abs() < 1e-9 {
                break;
            }
        }
        fit
    }

    /// The probability of a margin.
    #[must_use]
    pub fn probability(&self, margin: f64) -> f64 {
        sigmoid(self.slope * margin + self.offset)
    }
}

/// The mean squared error of probabilities (Brier's score).
#[must_use]
#[allow(clippy::cast_precision_loss)] // A count of rows.
pub fn brier(probabilities: &[f64], labels: &[bool]) -> f64 {
    let error = |(p, label): (&f64, &bool)| (p - f64::from(u8::from(*label))).powi(2);
    probabilities.iter().zip(labels).map(error).sum::<f64>() / probabilities.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::event::mix;

    #[test]
    fn it_undoes_a_distortion() {
        // Labels are drawn with probability sigmoid(m / 2 - 1); the model says m.
        let margins: Vec<f64> = (0..20_000)
            .map(|n| f64::from(n % 80) / 10.0 - 4.0)
            .collect();
        let labels: Vec<bool> = margins
            .iter()
            .zip(0u64..)
            .map(|(margin, n)| {
                let luck = (mix(n) >> 11) as f64 / (1u64 << 53) as f64;
                luck < sigmoid(margin / 2.0 - 1.0)
            })
            .collect();
        let fit = Calibration::fit(&margins, &labels);
        assert!(
            (fit.slope - 0.5).abs() < 0.05 && (fit.offset + 1.0).abs() < 0.1,
            "{fit:?}"
        );
        let before: Vec<f64> = margins.iter().map(|m| sigmoid(*m)).collect();
        let after: Vec<f64> = margins.iter().map(|m| fit.probability(*m)).collect();
        assert!(brier(&after, &labels) < brier(&before, &labels));
    }
}
