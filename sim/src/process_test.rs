//! A stopped process does nothing while its clock goes on; a killed or panicked one never does anything again.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::*;

/// Counts milliseconds, in a task of its own, as far as it runs.
async fn count(ticks: Rc<Cell<u64>>) -> turmoil::Result {
    let counting = tokio::task::spawn_local(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            ticks.set(ticks.get() + 1);
        }
    });
    counting.await?
}

struct Bench {
    sim: turmoil::Sim<'static>,
    process: Process,
    ticks: Rc<Cell<u64>>,
    end: Rc<Cell<Option<End>>>,
}

impl Bench {
    fn new<F: Future<Output = turmoil::Result> + 'static>(life: impl Fn(Rc<Cell<u64>>) -> F + 'static) -> Bench {
        panics::record();
        let mut sim = turmoil::Builder::new()
            .simulation_duration(Duration::from_secs(60))
            .build();
        let (process, ticks) = (Process::default(), Rc::<Cell<u64>>::default());
        let end: Rc<Cell<Option<End>>> = Rc::default();
        let (of_host, counted, ended) = (process.clone(), Rc::clone(&ticks), Rc::clone(&end));
        let life = Rc::new(life);
        sim.host("10.1.0.1", move || {
            let (process, ticks, ended, life) = (of_host.clone(), counted.clone(), Rc::clone(&ended), life.clone());
            async move {
                ended.set(Some(process.run(life(ticks)).await));
                std::future::pending().await
            }
        });
        Bench {
            sim,
            process,
            ticks,
            end,
        }
    }

    fn steps(&mut self, steps: usize) -> u64 {
        for _ in 0..steps {
            self.sim.step().expect("the host goes on");
        }
        self.ticks.get()
    }
}

#[test]
fn a_stopped_process_does_nothing_until_it_goes_on() {
    let mut bench = Bench::new(count);
    let before = bench.steps(100);
    assert!(before > 50);
    bench.process.stop();
    assert_eq!(bench.steps(500), before);
    bench.process.go_on();
    assert!(bench.steps(100) > before + 50);
    bench.process.stop();
    let again = bench.steps(1);
    assert_eq!(bench.steps(100), again);
    assert!(bench.end.take().is_none());
}

#[test]
fn not_many_wait_for_a_stopped_process() {
    let process = Process::default();
    let knocks = || (0..100).filter(|_| process.knock()).count();
    assert_eq!(knocks(), 100);
    process.stop();
    assert_eq!(knocks(), 40);
    assert_eq!(knocks(), 0);
    process.go_on();
    process.stop();
    assert_eq!(knocks(), 40);
}

#[test]
fn a_killed_process_is_gone_also_while_it_is_stopped() {
    for stopped in [false, true] {
        let mut bench = Bench::new(count);
        bench.steps(100);
        if stopped {
            bench.process.stop();
            bench.steps(10);
        }
        bench.process.kill();
        let last = bench.steps(1);
        assert!(matches!(bench.end.take(), Some(End::Killed)));
        bench.process.go_on();
        assert_eq!(bench.steps(100), last);
        bench.sim.bounce("10.1.0.1");
        assert!(bench.steps(100) > last, "it can be started again");
    }
}

#[test]
fn a_panic_of_one_task_ends_all_of_them() {
    let mut bench = Bench::new(|ticks| async move {
        let victim = Rc::clone(&ticks);
        tokio::task::spawn_local(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert!(victim.get() > 1000, "said on purpose");
        });
        count(ticks).await
    });
    let last = bench.steps(100);
    assert!(last < 30);
    assert!(matches!(bench.end.take(), Some(End::Panicked)));
    assert_eq!(panics::take().len(), 1);
}
