//! Whoever waits hears of each change, in turn.

use futures::FutureExt;
use futures::future::join_all;

use super::*;

#[tokio::test]
async fn waiters_are_woken_in_the_order_in_which_they_came() {
    let (sender, receiver) = channel(0);
    let woken = Arc::new(Mutex::new(Vec::new()));
    let waiting: Vec<_> = (0..50)
        .map(|waiter| {
            let (receiver, woken) = (receiver.clone(), woken.clone());
            tokio::spawn(async move {
                let seen = receiver.wait_for(|value| value >= 2).await;
                woken.lock().expect("no panic").push(waiter);
                seen
            })
        })
        .collect();
    tokio::task::yield_now().await;
    sender.send_replace(1);
    tokio::task::yield_now().await;
    assert!(woken.lock().expect("no panic").is_empty());
    sender.send_replace(3);
    let seen = join_all(waiting).await;
    assert!(seen.into_iter().all(|seen| seen.expect("no panic") == Ok(3)));
    assert_eq!(*woken.lock().expect("no panic"), (0..50).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_there_is_not_waited_for_and_what_never_comes_neither() {
    let (sender, receiver) = channel(7);
    assert_eq!(receiver.get(), 7);
    assert_eq!(receiver.wait_for(|value| value == 7).now_or_never(), Some(Ok(7)));
    assert_eq!(receiver.wait_for(|value| value == 8).now_or_never(), None);
    assert_eq!(sender.subscribe().closed().now_or_never(), None);
    drop(sender);
    assert_eq!(receiver.wait_for(|value| value == 7).await, Ok(7));
    assert_eq!(receiver.wait_for(|value| value == 8).await, Err(Closed));
    receiver.closed().await;
}
