//! The engine's thread: the one place with a socket and a clock.

use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use salon_forward::Micros;
use salon_netio::{
    BATCH, EventFd, MAX_DATAGRAM, Poller, ReceiveBatch, SendQueue, Timer, Token, UdpPort,
};

use crate::{Command, Core, Counter, EventReceiver, Events, Metrics, Outlet};

const TICK: Duration = Duration::from_millis(5);
/// Nobody is here: often enough to be seen alive.
const IDLE_TICK: Duration = Duration::from_millis(250);
/// A thread that did not turn for so long was stopped: by then clients look for another node.
const SUSPENDED: Micros = 1_000_000;
/// Batches taken before timers and commands have their turn.
const BATCHES_IN_A_ROW: usize = 8;
const QUEUE: usize = 512;

const PORT: Token = Token(0);
const COMMANDS: Token = Token(1);
const TICKS: Token = Token(2);

/// What the owner sets.
#[derive(Debug, Clone, Copy)]
pub struct NodeConfig {
    /// Where to listen; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Nothing authentic for this long is silence.
    pub silent_after: Duration,
    /// Makes the start values of counters on the wire.
    pub seed: u64,
}

/// The clock's start: not 0, so that "long ago" is a time too.
const EPOCH: Micros = 1_000_000_000;

/// The running engine, as its owner holds it. Dropping it ends the thread.
#[derive(Debug)]
pub struct Node {
    address: SocketAddr,
    commands: Sender<Command>,
    wake: Arc<EventFd>,
    events: EventReceiver,
    metrics: Arc<Metrics>,
    thread: Option<JoinHandle<()>>,
}

impl Node {
    /// Bind and start.
    pub fn start(config: NodeConfig) -> io::Result<Self> {
        let port = UdpPort::bind(config.bind)?;
        let address = port.local_addr()?;
        let wake = Arc::new(EventFd::new()?);
        let metrics = Arc::new(Metrics::default());
        let (events, receiver) = Events::new(Arc::clone(&metrics))?;
        let (sender, commands) = channel();
        let silent_after = config.silent_after.as_micros() as Micros;
        let core = Core::new(config.seed, silent_after, events, Arc::clone(&metrics));
        let (began, begins) = sync_channel(1);
        let parts = (
            port,
            core,
            commands,
            Arc::clone(&wake),
            Arc::clone(&metrics),
        );
        let thread = std::thread::Builder::new()
            .name("salon-engine".into())
            .spawn(move || {
                // What is waited with belongs to the thread that waits: it is made there.
                let engine = Engine::new(parts);
                let (engine, outcome) = match engine {
                    Ok(engine) => (Some(engine), Ok(())),
                    Err(error) => (None, Err(error)),
                };
                let _ = began.send(outcome);
                if let Some(mut engine) = engine {
                    engine.run();
                }
            })?;
        begins
            .recv()
            .unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))?;
        Ok(Self {
            address,
            commands: sender,
            wake,
            events: receiver,
            metrics,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Queue a command. After the end it goes nowhere.
    pub fn command(&self, command: Command) {
        if self.commands.send(command).is_ok() {
            self.wake.notify();
        }
    }

    /// Whether the thread runs. It ends by [`Self::stop`]; a panic ends the process.
    pub fn is_running(&self) -> bool {
        self.thread
            .as_ref()
            .is_some_and(|thread| !thread.is_finished())
    }

    /// What the engine tells.
    pub const fn events(&self) -> &EventReceiver {
        &self.events
    }

    /// What the engine counts.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// End the thread and close the port. Idempotent.
    pub fn stop(&mut self) {
        self.command(Command::Stop);
        if let Some(thread) = self.thread.take() {
            // It does not end by a panic: see `Engine::run`.
            let _ = thread.join();
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What is made before the thread.
type Parts = (UdpPort, Core, Receiver<Command>, Arc<EventFd>, Arc<Metrics>);

/// What lives on the thread.
struct Engine {
    core: Core,
    outgoing: Outgoing,
    incoming: ReceiveBatch,
    commands: Receiver<Command>,
    wake: Arc<EventFd>,
    poller: Poller,
    ticks: Timer,
    period: Duration,
    started: Instant,
    /// When the clock was last looked at.
    seen: Micros,
    /// What waits at the port came while the thread was stopped.
    late: bool,
}

impl Engine {
    fn new((port, core, commands, wake, metrics): Parts) -> io::Result<Self> {
        let mut poller = Poller::new()?;
        let ticks = Timer::new()?;
        poller.add(&port, PORT)?;
        poller.add(&*wake, COMMANDS)?;
        poller.add(&ticks, TICKS)?;
        Ok(Self {
            core,
            outgoing: Outgoing {
                port,
                queue: SendQueue::new(QUEUE),
                metrics,
            },
            incoming: ReceiveBatch::default(),
            commands,
            wake,
            poller,
            ticks,
            period: Duration::ZERO,
            started: Instant::now(),
            seen: EPOCH,
            late: false,
        })
    }

    /// A panic within a room ends that room, elsewhere the process: a node that seems alive and is not serves nobody,
    /// one that is dead is replaced.
    fn run(&mut self) {
        self.set_ticking();
        if catch_unwind(AssertUnwindSafe(|| while self.turn() {})).is_err() {
            std::process::abort();
        }
    }

    /// Wait for something and do it; false when it was the last.
    fn turn(&mut self) -> bool {
        let (mut port, mut commands, mut ticks) = (false, false, false);
        let ready = self.poller.wait(None);
        for token in ready.expect("a poller that lives has descriptors that live") {
            port |= token == PORT;
            commands |= token == COMMANDS;
            ticks |= token == TICKS;
        }
        self.outgoing.metrics.count(Counter::Turns);
        // A wait that the stop interrupted says nothing of the port: it is looked at in any case.
        self.late |= self.was_suspended();
        if port || self.late {
            self.receive();
        }
        if commands && !self.obey() {
            return false;
        }
        if ticks && self.ticks.take() > 0 {
            let now = self.now();
            self.core.handle_timeout(now, &mut self.outgoing);
        }
        self.outgoing.flush();
        self.core.flush_events();
        self.set_ticking();
        true
    }

    fn receive(&mut self) {
        for _ in 0..BATCHES_IN_A_ROW {
            // An error is that of an earlier datagram out, such as a port that is closed: it says nothing of the rest.
            let received = self
                .incoming
                .receive(&self.outgoing.port)
                .unwrap_or_default();
            self.outgoing.count_received(received);
            self.late |= self.was_suspended();
            self.handle_batch();
            self.outgoing.flush();
            if received.taken < BATCH {
                self.late = false;
                break;
            }
        }
    }

    fn handle_batch(&mut self) {
        let now = self.now();
        for datagram in self.incoming.datagrams() {
            let from = datagram.source;
            if self.late {
                self.core.handle_late_datagram(now, from, datagram.bytes);
            } else {
                self.core
                    .handle_datagram(now, from, datagram.bytes, &mut self.outgoing);
            }
        }
    }

    /// Whether the process was stopped since this was last asked, by a signal or with its host; its sessions know then.
    fn was_suspended(&mut self) -> bool {
        let now = self.now();
        let suspended = now >= self.seen + SUSPENDED;
        self.seen = now;
        if suspended {
            self.outgoing.metrics.count(Counter::Suspensions);
            self.core.handle_suspended();
        }
        suspended
    }

    /// Do what the owner says; false at the end.
    fn obey(&mut self) -> bool {
        self.wake.clear();
        let now = self.now();
        while let Ok(command) = self.commands.try_recv() {
            if matches!(command, Command::Stop) {
                return false;
            }
            self.core.handle_command(now, command, &mut self.outgoing);
        }
        true
    }

    /// Quick ticks are for those who are here.
    fn set_ticking(&mut self) {
        let period = if self.core.is_idle() { IDLE_TICK } else { TICK };
        if period != self.period {
            self.period = period;
            let set = self.ticks.set_every(period);
            set.expect("a timer takes periods of milliseconds");
        }
    }

    fn now(&self) -> Micros {
        EPOCH + self.started.elapsed().as_micros() as Micros
    }
}

/// The socket's queue, flushed when it is full and after each turn.
struct Outgoing {
    port: UdpPort,
    queue: SendQueue,
    metrics: Arc<Metrics>,
}

impl Outgoing {
    fn flush(&mut self) {
        if self.queue.is_empty() {
            return;
        }
        let sent = self.queue.flush(&self.port);
        let counts = [
            (Counter::DatagramsOut, sent.sent),
            (Counter::BytesOut, sent.bytes),
            (Counter::DropWouldBlock, sent.would_block),
            (Counter::DropRefused, sent.refused),
        ];
        for (counter, count) in counts {
            self.metrics.add(counter, count as u64);
        }
    }

    fn count_received(&self, received: salon_netio::Received) {
        let counts = [
            (Counter::DatagramsIn, received.taken),
            (Counter::BytesIn, received.bytes),
            (Counter::DropEmpty, received.empty),
            (Counter::DropTruncated, received.truncated),
        ];
        for (counter, count) in counts {
            self.metrics.add(counter, count as u64);
        }
    }
}

impl Outlet for Outgoing {
    fn slot(&mut self) -> &mut [u8; MAX_DATAGRAM] {
        if self.queue.slot().is_none() {
            self.flush();
        }
        self.queue
            .slot()
            .expect("an empty queue has room for a datagram")
    }

    fn commit(&mut self, to: SocketAddr, length: usize) {
        self.queue.commit(to, length);
    }
}
