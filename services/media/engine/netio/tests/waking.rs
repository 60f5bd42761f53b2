//! What ends a wait: events of other threads, ticks, and the timeout.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use salon_netio::{EventFd, Poller, Timer, Token};

const LONG: Option<Duration> = Some(Duration::from_secs(10));

fn ready(poller: &mut Poller, timeout: Option<Duration>) -> Vec<Token> {
    poller.wait(timeout).unwrap().collect()
}

#[test]
fn a_notification_of_another_thread_ends_the_wait() {
    let event = Arc::new(EventFd::new().unwrap());
    let mut poller = Poller::new().unwrap();
    poller.add(&*event, Token(7)).unwrap();
    let notifier = thread::spawn({
        let event = Arc::clone(&event);
        move || event.notify()
    });
    assert_eq!(ready(&mut poller, LONG), [Token(7)]);
    notifier.join().unwrap();
}

#[test]
fn an_event_is_readable_until_cleared_however_often_notified() {
    let event = EventFd::new().unwrap();
    let mut poller = Poller::new().unwrap();
    poller.add(&event, Token(1)).unwrap();
    assert_eq!(ready(&mut poller, Some(Duration::ZERO)), []);
    event.notify();
    event.notify();
    assert_eq!(ready(&mut poller, LONG), [Token(1)]);
    assert_eq!(ready(&mut poller, LONG), [Token(1)]);
    event.clear();
    event.clear();
    assert_eq!(ready(&mut poller, Some(Duration::ZERO)), []);
}

#[test]
fn a_timer_ticks_and_counts_what_was_missed() {
    let timer = Timer::new().unwrap();
    let mut poller = Poller::new().unwrap();
    poller.add(&timer, Token(2)).unwrap();
    timer.set_every(Duration::from_millis(1)).unwrap();
    let mut ticks = 0;
    while ticks < 3 {
        assert_eq!(ready(&mut poller, LONG), [Token(2)]);
        ticks += timer.take();
    }
    timer.set_every(Duration::ZERO).unwrap();
    assert_eq!(timer.take(), 0);
    assert_eq!(ready(&mut poller, Some(Duration::ZERO)), []);
}

#[test]
fn a_timer_expires_once() {
    let timer = Timer::new().unwrap();
    let mut poller = Poller::new().unwrap();
    poller.add(&timer, Token(3)).unwrap();
    timer.set_once(Duration::ZERO).unwrap();
    assert_eq!(ready(&mut poller, LONG), [Token(3)]);
    assert_eq!(timer.take(), 1);
    assert_eq!(ready(&mut poller, Some(Duration::ZERO)), []);
}

#[test]
fn the_timeout_ends_the_wait_not_before_its_time() {
    let mut poller = Poller::new().unwrap();
    let before = Instant::now();
    assert_eq!(ready(&mut poller, Some(Duration::from_millis(3))), []);
    assert!(before.elapsed() >= Duration::from_millis(3));
}

#[test]
fn closed_descriptors_are_forgotten() {
    let mut poller = Poller::new().unwrap();
    let event = EventFd::new().unwrap();
    poller.add(&event, Token(1)).unwrap();
    event.notify();
    drop(event);
    assert_eq!(ready(&mut poller, Some(Duration::ZERO)), []);
}
