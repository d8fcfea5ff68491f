//! The command line parses what its help promises.

use clap::CommandFactory;

use super::*;

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn durations_have_units() {
    assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
    assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
    for text in [
        "",
        "5",
        "s",
        "1d",
        "-1s",
        "99999999999999999999h",
        "18446744073709551615h",
    ] {
        assert!(duration(text).unwrap_err().contains("60s"), "{text}");
    }
}

#[test]
fn posts_are_named_with_or_without_their_author() {
    assert_eq!(
        post_key("7/101").unwrap(),
        PostKey {
            author_id: 7,
            post_id: 101
        }
    );
    assert_eq!(post_key("101").unwrap().author_id, 0);
    assert!(post_key("0/1").is_err() && post_key("x").is_err() && post_key("1/2/3").is_err());
    assert!(owned_post_key("101").unwrap_err().contains("covey get 101"));
}

#[test]
fn loads_take_their_options_after_the_input() {
    let cli = Cli::try_parse_from(["covey", "load", "jsonl", "-", "--rebase-time", "--batch", "100"]).unwrap();
    let Command::Load(load) = cli.command else {
        panic!("a load")
    };
    assert!(load.options.rebase_time && load.options.batch == 100);
}

#[test]
fn a_search_is_for_exactly_one_thing() {
    assert!(Cli::try_parse_from(["covey", "search"]).is_err());
    assert!(Cli::try_parse_from(["covey", "search", "--text", "x", "--post", "1"]).is_err());
    assert!(Cli::try_parse_from(["covey", "search", "--text", "x"]).is_ok());
}
