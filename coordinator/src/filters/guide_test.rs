//! The guide to filters shows what is compiled.

#[test]
fn the_guide_shows_the_example_as_it_is_compiled_and_tested() {
    let guide = include_str!("../../../docs/add-a-filter.md");
    let files = [
        include_str!("../../../docs/examples/long_video.rs"),
        include_str!("../../../docs/examples/long_video_test.rs"),
    ];
    for file in files {
        let shown = format!("```rust\n{file}```");
        let first = file.lines().next().unwrap_or_default();
        assert!(
            guide.contains(&shown),
            "docs/add-a-filter.md and the file that begins with {first:?} differ"
        );
    }
}
