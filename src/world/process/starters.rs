//! Threads that start programs. Whoever starts one waits until it has left this program's memory (`vfork`): aside, the next
//! one is prepared meanwhile, and started on another core.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::world::cores;

/// More than enough for one call of the system.
const STACK: usize = 128 << 10;
/// The most threads: beyond these they wait for each other, as they share one memory.
const MOST: usize = 2;

type Job = Box<dyn FnOnce() + Send>;

/// What is to be started, and how many threads do it.
struct Queue {
    jobs: VecDeque<Job>,
    threads: usize,
}

static QUEUE: Mutex<Queue> = Mutex::new(Queue { jobs: VecDeque::new(), threads: 0 });

/// Starts something aside. What was started for somebody who waits no more is dropped.
///
/// # Errors
/// As `start`.
pub(super) async fn aside<T: Send + 'static>(start: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    let (told, started) = oneshot::channel();
    let job = Box::new(move || {
        if !told.is_closed() {
            let _ = told.send(start());
        }
    });
    if enqueue(job) && std::thread::Builder::new().stack_size(STACK).spawn(work).is_err() {
        // No more threads are to be had: it is done here.
        work();
    }
    started.await.unwrap_or_else(|_| Err(io::Error::other("the thread that was to start it is gone")))
}

/// Whether one thread more is wanted, which is counted from here on.
fn enqueue(job: Job) -> bool {
    let mut queue = queue();
    queue.jobs.push_back(job);
    let is_wanted = queue.threads < cores::available().min(MOST);
    queue.threads += usize::from(is_wanted);
    is_wanted
}

/// Starts what waits, until nothing does.
fn work() {
    while let Some(job) = next() {
        // Who waits for a job that panics is told that it is gone; the others are done.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

fn next() -> Option<Job> {
    let mut queue = queue();
    let job = queue.jobs.pop_front();
    queue.threads -= usize::from(job.is_none());
    job
}

fn queue() -> MutexGuard<'static, Queue> {
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_start_is_answered_also_after_one_that_panics() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for round in 0..50 {
                let lost = aside::<()>(|| std::panic::resume_unwind(Box::new("lost")));
                let refused = aside::<()>(|| Err(io::ErrorKind::NotFound.into()));
                let (one, two, lost, refused) =
                    tokio::join!(aside(move || Ok(round)), aside(move || Ok(round + 1)), lost, refused);
                assert_eq!((one.unwrap(), two.unwrap()), (round, round + 1));
                assert_eq!(lost.unwrap_err().to_string(), "the thread that was to start it is gone");
                assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::NotFound);
            }
        });
    }
}
