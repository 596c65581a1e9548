//! What a call asks for, and mixes of several kinds of calls.
//!
//! Invariant: what call `number` of a mix asks for follows from the seed and the number alone, whoever makes it.

/// In which form a call is asked to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Json,
    /// So many progress events, each after a pause, and then the answer.
    Events {
        count: u32,
        every_ms: u32,
    },
    /// `tools/list` instead of a call, with so many tools in the answer.
    List {
        tools: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// With sessions, opened by `initialize`.
    Legacy,
    /// Without sessions; method and name stand in headers.
    Modern,
}

/// What one call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    pub form: Form,
    /// Text in the arguments of the call.
    pub padding_bytes: usize,
    /// Text in the answer; 0 asks for what small tools answer.
    pub reply_bytes: usize,
}

impl Ask {
    /// A small call.
    pub const PLAIN: Self = Self { form: Form::Json, padding_bytes: 100, reply_bytes: 0 };

    pub const fn of(form: Form) -> Self {
        Self { form, ..Self::PLAIN }
    }
}

/// Several kinds of calls, each with its weight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix {
    seed: u64,
    first: (u32, Ask),
    rest: Vec<(u32, Ask)>,
}

impl Mix {
    pub const fn only(ask: Ask) -> Self {
        Self { seed: 0, first: (1, ask), rest: Vec::new() }
    }

    /// `first` and `rest` with their weights.
    pub const fn of(seed: u64, first: (u32, Ask), rest: Vec<(u32, Ask)>) -> Self {
        Self { seed, first, rest }
    }

    /// What call `number` asks for.
    pub fn ask(&self, number: u64) -> &Ask {
        if self.rest.is_empty() {
            return &self.first.1;
        }
        let total = self.rest.iter().map(|(weight, _)| weight).sum::<u32>() + self.first.0;
        let mut drawn = drawn(self.seed, number, total);
        for (weight, ask) in &self.rest {
            if drawn < *weight {
                return ask;
            }
            drawn -= weight;
        }
        &self.first.1
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }
}

/// A number below `total` that follows from seed and number.
pub fn drawn(seed: u64, number: u64, total: u32) -> u32 {
    fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number).u32(..total.max(1))
}

#[cfg(test)]
mod tests;
