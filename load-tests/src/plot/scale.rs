//! From figures to positions: where on a line a value stands, and which values are worth a mark.
//!
//! Invariant: every value that a scale was made for stands within its line.

/// A line of pixels from zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    step: f64,
    marks: u32,
    length: f64,
}

/// More marks than that are no help on a line of this size.
const MARKS_MAX: f64 = 6.0;

impl Linear {
    /// For values from 0 to `highest`, on `length` pixels.
    pub fn new(highest: f64, length: f64) -> Self {
        let highest = if highest.is_finite() && highest > 0.0 { highest } else { 1.0 };
        let rough = highest / MARKS_MAX;
        let decade = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].iter().map(|round| round * decade).find(|step| *step >= rough);
        let step = step.unwrap_or(rough);
        Self { step, marks: (highest / step).ceil() as u32, length }
    }

    pub fn at(&self, value: f64) -> f64 {
        value.max(0.0) / (self.step * f64::from(self.marks)) * self.length
    }

    pub fn marks(&self) -> impl Iterator<Item = f64> {
        (0..=self.marks).map(|mark| f64::from(mark) * self.step)
    }

    /// Digits behind the point that tell one mark from the next.
    pub fn digits(&self) -> usize {
        let digits = -self.step.log10().floor();
        if digits > 0.0 { digits as usize } else { 0 }
    }
}

/// A line of pixels on which ten times as much is always equally far.
#[derive(Debug, Clone, PartialEq)]
pub struct Logarithmic {
    lowest: f64,
    highest: f64,
    length: f64,
}

impl Logarithmic {
    /// For values of at least one, from about the lowest to about the highest.
    pub fn new(values: &[f64], length: f64) -> Self {
        let values = values.iter().copied().filter(|value| value.is_finite()).map(|value| value.max(1.0));
        let (lowest, highest) = values.fold((f64::MAX, 1.0f64), |(low, high), value| (low.min(value), high.max(value)));
        let lowest = lowest.min(highest);
        let lowest = round_values(lowest).into_iter().rfind(|round| *round <= lowest).unwrap_or(lowest);
        let above = round_values(highest).into_iter().find(|round| *round >= highest && *round > lowest);
        Self { lowest, highest: above.unwrap_or(lowest * 10.0), length }
    }

    pub fn at(&self, value: f64) -> f64 {
        let share = (value.max(self.lowest) / self.lowest).log10() / (self.highest / self.lowest).log10();
        share.min(1.0) * self.length
    }

    /// 1, 2 and 5 of each decade; the flag says whether a value begins one.
    pub fn marks(&self) -> Vec<(f64, bool)> {
        let mut decade = round_values(self.lowest)[0];
        let mut marks = Vec::new();
        while decade <= self.highest {
            let rounds = [(decade, true), (decade * 2.0, false), (decade * 5.0, false)];
            marks.extend(rounds.into_iter().filter(|(value, _)| (self.lowest..=self.highest).contains(value)));
            decade *= 10.0;
        }
        marks
    }
}

/// Round values near and above one.
fn round_values(value: f64) -> [f64; 4] {
    let decade = 10f64.powf(value.log10().floor());
    [decade, decade * 2.0, decade * 5.0, decade * 10.0]
}

#[cfg(test)]
mod tests;
