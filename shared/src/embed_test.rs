//! Golden values and behaviour of the built-in embedder.

use super::*;
use crate::model::F16Vector;

fn cosine(a: &str, b: &str) -> f32 {
    let (a, b) = (content(a, 128).unwrap(), content(b, 128).unwrap());
    a.iter().zip(&b).map(|(x, y)| x * y).sum()
}

#[test]
fn listed_words_are_sorted_for_the_search_and_in_one_list() {
    assert!(FUNCTION_WORDS.is_sorted() && COMMON_WORDS.is_sorted());
    assert!(COMMON_WORDS.iter().all(|word| !FUNCTION_WORDS.contains(word)));
}

#[test]
fn vectors_have_unit_length_in_every_dimension() {
    for dim in [16, 100, 128, 384, MAX_DIM] {
        let vector = content("a short post about sourdough bread", dim).unwrap();
        assert_eq!(vector.len(), dim);
        let length: f32 = vector.iter().map(|x| x * x).sum();
        assert!((length - 1.0).abs() < 1e-5, "{length}");
    }
}

#[test]
fn text_without_words_has_no_vector() {
    assert_eq!(content("", 128), None);
    assert_eq!(content(" … 🎉🎉 !!", 128), None);
    assert_eq!(simhash("🎉"), None);
}

#[test]
fn one_letter_and_function_words_alone_have_a_vector() {
    assert!(content("x", 128).is_some());
    assert!(content("to be or not to be", 128).is_some());
    assert!(content("日", 128).is_some());
}

#[test]
#[should_panic(expected = "dimension 0 is not in")]
fn dimension_without_a_place_is_refused() {
    content("x", 0);
}

#[test]
fn related_texts_lie_closer_than_unrelated_ones() {
    let bread = "baking sourdough bread at home with rye flour";
    let related = cosine(bread, "my rye sourdough bread recipe");
    let inflected = cosine(bread, "baked breads with floury sourdoughs");
    let unrelated = cosine(bread, "the quarterly chip earnings call surprised investors");
    assert!(related > 0.4 && inflected > 0.2, "{related} {inflected}");
    assert!(unrelated.abs() < 0.2, "{unrelated}");
}

#[test]
fn case_width_and_spacing_do_not_matter() {
    assert!(cosine("Rust 1.0 Released!", "ｒｕｓｔ   1.0 released") > 0.999);
}

#[test]
fn near_duplicates_are_few_bits_apart() {
    let long = "scientists find that the moons of the outer planet carry deep salt water oceans under many miles of ice \
                and that some of them may be warm enough for life as we know it to start";
    let copy = long.replace("many miles", "several miles");
    let distance = (simhash(long).unwrap() ^ simhash(&copy).unwrap()).count_ones();
    let other =
        (simhash(long).unwrap() ^ simhash("my cat knocked the router off the shelf again").unwrap()).count_ones();
    assert_eq!(simhash(long), simhash(&long.to_uppercase()));
    assert!(distance <= 8, "{distance}");
    assert!(other > 16, "{other}");
}

#[test]
fn near_duplicates_of_a_long_text_are_at_most_three_bits_apart_and_short_ones_are_none() {
    let text = "The harbour ferry is cancelled today, because of the storm.";
    let hash = duplicate_hash(text).unwrap();
    assert_eq!(hash, simhash(text).unwrap());
    // Marks, case and width are no difference.
    let again = duplicate_hash("the HARBOUR ferry is cancelled today: because of the ｓｔｏｒｍ!!! 🎉").unwrap();
    assert_eq!(hash, again);
    assert_eq!(duplicate_hash("good morning to all"), None);
    assert!(duplicate_hash("good morning to you all").is_some());
}

#[test]
fn golden_vector_never_changes() {
    let vector = content("Scientists find Ｗater on the moon: the moon has water", 128).unwrap();
    let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
    assert_eq!(xxh3_64(&bytes), 4692851605517777762, "f32 bits");
    assert_eq!(
        xxh3_64(&F16Vector::from_f32(&vector).0),
        12620571342508531466,
        "f16 bits"
    );
    let small = content("日本 Straße naïve", 16).unwrap();
    let bytes: Vec<u8> = small.iter().flat_map(|x| x.to_le_bytes()).collect();
    assert_eq!(xxh3_64(&bytes), 10514615214521809362, "f32 bits of 16 dimensions");
}

#[test]
fn golden_simhash_never_changes() {
    assert_eq!(simhash("Scientists find water on the moon"), Some(14557946677122276542));
    // Long enough that counts go beyond eight bits.
    let long: Vec<String> = (0..200).map(|i| format!("word{} moon", i % 37)).collect();
    assert_eq!(simhash(&long.join(" ")), Some(13981229990247997166));
}

#[test]
fn votes_are_counted_as_bit_by_bit() {
    let hashes: Vec<u64> = (0..1000u64).map(|i| xxh3_64(&(i % 700).to_le_bytes())).collect();
    for n in [1, 2, 3, 255, 256, 257, 1000] {
        let mut votes = Votes::default();
        hashes[..n].iter().for_each(|hash| votes.add(*hash));
        let count = |bit: u64| hashes[..n].iter().filter(|hash| *hash >> bit & 1 == 1).count();
        let plain = (0..64)
            .filter(|bit| 2 * count(*bit) > n)
            .fold(0, |all, bit| all | 1 << bit);
        assert_eq!(votes.majority(), plain, "{n} hashes");
    }
}

#[test]
fn a_word_more_in_a_long_text_is_one_to_three_bits() {
    let text: Vec<String> = (0..300).map(|i| format!("word{i}")).collect();
    let text = text.join(" ");
    let distance = |other: &str| (simhash(&text).unwrap() ^ simhash(other).unwrap()).count_ones();
    let distances: Vec<u32> = ["again", "storm", "ferry", "harbour", "moon", "water"]
        .map(|word| distance(&format!("{text} {word}")))
        .into();
    assert!(distances.iter().all(|bits| *bits <= 3), "{distances:?}");
    assert!(distances.iter().any(|bits| *bits > 0), "{distances:?}");
}
