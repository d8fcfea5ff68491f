//! Randomness as a function: the n-th draw of (seed, stream, index) is always the same, so that any part of the world can
//! be computed on its own, in any order, without keeping the rest. No library's generator promises that over releases.

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// What a draw is for; each has a stream of its own, so that adding draws to one leaves the others alone.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    Person = 1,
    Follows,
    Edges,
    Post,
    Parent,
    Words,
    Affinity,
    Session,
    Slate,
    Viewing,
}

/// SplitMix64 (Steele et al. 2014) that starts at a point fixed by seed, stream and index.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64, stream: Stream, index: u64) -> Dice {
        let stream = mix(seed ^ mix(stream as u64));
        Dice(mix(stream.wrapping_add(index.wrapping_mul(GAMMA))))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        mix(self.0)
    }

    /// Uniform in 0.0 .. 1.0, with 53 bits.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in 0 .. `n`; 0 when `n` is 0.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Standard normal (Box-Muller, one of the pair).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len() as u64) as usize]
    }

    /// Rank in 0 .. `n` with density falling like (rank + `shift`)^-`exponent`; by the inverse of the integral, so that
    /// no table is needed. `exponent` is not 1.
    pub(crate) fn rank(&mut self, n: u64, exponent: f64, shift: f64) -> u64 {
        let power = 1.0 - exponent;
        let (low, high) = (shift.powf(power), (n as f64 + shift).powf(power));
        let x = (low + self.unit() * (high - low)).powf(1.0 / power) - shift;
        (x as u64).min(n.saturating_sub(1))
    }
}

/// The finaliser of SplitMix64.
pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
