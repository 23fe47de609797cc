//! Threads that start programs. Whoever starts one waits until it has left this program's memory (`vfork`): aside, the next
//! one is prepared meanwhile, and started on another core.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// More than enough for one call of the system.
const STACK: usize = 128 << 10;
/// The most threads: beyond these they wait for each other, as they share one memory.
const MOST: usize = 2;

type Job = Box<dyn FnOnce() + Send>;

/// What is to be started, and who does it.
struct Queue {
    jobs: VecDeque<Job>,
    /// They stay as long as the program: a command that asked to die with its parent means the thread that started it
    /// (`PR_SET_PDEATHSIG`).
    threads: usize,
    idle: usize,
}

static QUEUE: Mutex<Queue> = Mutex::new(Queue { jobs: VecDeque::new(), threads: 0, idle: 0 });
static MORE: Condvar = Condvar::new();

/// Starts something aside. What was started for somebody who waits no more is dropped.
///
/// # Errors
/// As `start`, or when there is no thread to be had.
pub(super) async fn aside<T: Send + 'static>(start: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    let (told, started) = oneshot::channel();
    enqueue(Box::new(move || {
        if !told.is_closed() {
            let _ = told.send(start());
        }
    }))?;
    started.await.unwrap_or_else(|_| Err(io::Error::other("the thread that was to start it is gone")))
}

fn enqueue(job: Job) -> io::Result<()> {
    let mut queue = queue();
    queue.jobs.push_back(job);
    MORE.notify_one();
    if queue.idle >= queue.jobs.len() || queue.threads == MOST {
        return Ok(());
    }
    match std::thread::Builder::new().stack_size(STACK).spawn(work) {
        Ok(_) => queue.threads += 1,
        Err(error) if queue.threads == 0 => {
            queue.jobs.pop_back();
            return Err(error);
        }
        // The others do it.
        Err(_) => {}
    }
    Ok(())
}

fn work() {
    loop {
        // Who waits for a job that panics is told that it is gone; the others are done.
        let _ = catch_unwind(AssertUnwindSafe(next()));
    }
}

fn next() -> Job {
    let mut queue = queue();
    loop {
        if let Some(job) = queue.jobs.pop_front() {
            return job;
        }
        queue.idle += 1;
        queue = MORE.wait(queue).unwrap_or_else(PoisonError::into_inner);
        queue.idle -= 1;
    }
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
