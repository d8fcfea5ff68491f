//! Randomness: from the operating system in production, from the seed in simulation.

/// A source of random numbers. Never used where replicas must agree.
pub trait Entropy: Send + Sync {
    /// 64 uniformly distributed bits. In production they come from a cryptographic generator.
    fn next_u64(&self) -> u64;
}

impl dyn Entropy + '_ {
    /// A uniform number in `0..n`.
    ///
    /// # Panics
    /// If `n` is zero: there is no such number.
    pub fn below(&self, n: u64) -> u64 {
        assert!(n > 0, "a random number below zero was asked for");
        // Lemire, "Fast Random Integer Generation in an Interval" (2019): the few low products that would make some
        // results more likely than others are drawn again.
        let threshold = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
    }

    /// A uniform number in `[0, 1)` with 53 random bits.
    pub fn unit(&self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }
}
