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
fn settings_are_keys_with_values() {
    let rule = "feed.rule.cup={ kind = \"cap\", per = \"topic\", most = 2 }";
    let cli = Cli::try_parse_from(["covey", "config", "set", "feed.oon_factor = 0.5", rule, "--dry-run"]).unwrap();
    let Command::Config(ConfigCommand::Set { settings, flags }) = cli.command else {
        panic!("settings")
    };
    assert_eq!(settings[0], ("feed.oon_factor".to_owned(), "0.5".to_owned()));
    assert_eq!(settings[1].1, "{ kind = \"cap\", per = \"topic\", most = 2 }");
    assert!(flags.dry_run);
    for wrong in ["feed.oon_factor", "feed.oon_factor="] {
        assert!(
            Cli::try_parse_from(["covey", "config", "set", wrong]).is_err(),
            "{wrong}"
        );
    }
    assert!(Cli::try_parse_from(["covey", "config", "set"]).is_err());
}

#[test]
fn a_search_is_for_exactly_one_thing() {
    assert!(Cli::try_parse_from(["covey", "search"]).is_err());
    assert!(Cli::try_parse_from(["covey", "search", "--text", "x", "--post", "1"]).is_err());
    assert!(Cli::try_parse_from(["covey", "search", "--text", "x"]).is_ok());
}

#[test]
fn operations_take_their_flags_in_any_place() {
    let parse = |words: &str| Cli::try_parse_from(words.split(' '));
    let cli = parse("covey node drain 3 --watch --timeout 5m --limit 12h --by ada --format json").unwrap();
    assert_eq!((cli.by.as_str(), cli.format), ("ada", OutputFormat::Json));
    let Command::Node(NodeCommand::Drain { node: 3, start }) = cli.command else {
        panic!("a drain")
    };
    let flags = &start.watch;
    assert!(flags.watch && !flags.dry_run && flags.timeout == Some(Duration::from_secs(300)));
    assert_eq!(start.limit, Duration::from_secs(12 * 3600));
    let cli = parse("covey shard move 3 --from 1 --to 4 --dry-run").unwrap();
    let Command::Shard(ShardCommand::Move(args)) = cli.command else {
        panic!("a move")
    };
    assert_eq!((args.shard, args.from, args.to), (3, 1, 4));
    assert_eq!(args.start.limit, Duration::from_secs(3600));
    let cli = parse("covey node maintenance 2 --for 45m").unwrap();
    let Command::Node(NodeCommand::Maintenance { time, .. }) = cli.command else {
        panic!("a maintenance")
    };
    assert_eq!(time, Duration::from_secs(45 * 60));
    let cli = parse("covey node add 5 --dry-run --limit 2h").unwrap();
    let Command::Node(NodeCommand::Add { node: 5, start }) = cli.command else {
        panic!("an addition")
    };
    assert!(start.watch.dry_run && start.limit == Duration::from_secs(2 * 3600));
    let cli = parse("covey shard unsafe-recover 3 --keep 1 --yes-lose-writes --watch").unwrap();
    let Command::Shard(ShardCommand::UnsafeRecover(args)) = cli.command else {
        panic!("a recovery")
    };
    assert!((args.shard, args.keep, args.yes_lose_writes) == (3, 1, true) && args.start.watch.watch);
}

#[test]
fn flags_that_make_no_sense_together_or_are_out_of_bounds_are_refused() {
    for words in [
        "covey node drain 3 --watch --dry-run",
        "covey node drain 3 --timeout 5m",
        "covey node drain 3 --limit 0s",
        "covey node repair 3 --limit 721h",
        "covey node maintenance 3 --for 169h",
        "covey node maintenance 3 --limit 1h",
        "covey node undrain 3 --watch",
        "covey shard move 3 --from 1",
        "covey shard transfer-leader 3",
        "covey shard unsafe-recover 3 --yes-lose-writes",
        "covey audit -n 0",
        "covey audit -n 1001",
        "covey cancel",
    ] {
        assert!(Cli::try_parse_from(words.split(' ')).is_err(), "{words}");
    }
    for words in [
        "covey watch",
        "covey watch 17 --timeout 1m",
        "covey operations --all",
        "covey audit -n 5",
    ] {
        assert!(Cli::try_parse_from(words.split(' ')).is_ok(), "{words}");
    }
}

#[test]
fn benches_of_feeds_take_their_flags() {
    let parse = |words: &str| Cli::try_parse_from(words.split(' '));
    let Command::Bench(args) = parse("covey bench takedown --kill --tries 40 --json").unwrap().command else {
        panic!("a bench")
    };
    let Some(BenchCommand::Takedown(args)) = args.what else {
        panic!("of takedowns")
    };
    assert!((args.tries, args.kill, args.json, args.fresh) == (40, true, true, false));
    let Command::Bench(args) = parse("covey bench quality --viewers 50 --seed 7").unwrap().command else {
        panic!("a bench")
    };
    let Some(BenchCommand::Quality(args)) = args.what else {
        panic!("of quality")
    };
    assert!((args.viewers, args.cluster.size.seed, args.json) == (50, 7, false));
    assert!(parse("covey bench takedown --tries 19").is_err() && parse("covey bench quality --viewers 9").is_err());
}
