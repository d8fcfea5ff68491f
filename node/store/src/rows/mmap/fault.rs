//! A page of a map that the disk cannot read becomes zeros instead of the end of the process.
//!
//! The kernel reports such a page, or one behind the end of a file that was cut, with SIGBUS. The handler here knows our
//! maps: it puts zeros there and counts the pages; the checksum of each row on that page then tells that it is damaged.
//! A SIGBUS anywhere else ends the process as ever.

use std::ffi::{c_int, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Maps at a time: as many as Linux allows a process by default (`vm.max_map_count`).
const MAX_MAPS: usize = 65_530;

/// Faults that cost one page each; then the window doubles after each so many more, up to 2^18 pages.
const ALONE: u64 = 256;
const MAX_GROWTH: u64 = 18;

/// The maps, for the handler: it can neither lock nor allocate. Untouched places cost no memory.
static PLACES: [Place; MAX_MAPS] = [const { Place::new() }; MAX_MAPS];
/// Places ever taken; those behind are empty.
static TAKEN: AtomicUsize = AtomicUsize::new(0);
/// Places below `TAKEN` that are empty again. Its lock is held while a place changes.
static FREE: Mutex<Vec<usize>> = Mutex::new(Vec::new());
/// What SIGBUS did before, set before the handler is installed.
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();
/// Bytes of a page, set before the handler is installed.
static PAGE: AtomicUsize = AtomicUsize::new(0);

/// Where a map lies.
struct Place {
    /// Odd while the place changes.
    version: AtomicU32,
    start: AtomicUsize,
    end: AtomicUsize,
    /// Pages that were replaced.
    faulted: AtomicU64,
    /// Times that some were.
    faults: AtomicU64,
}

impl Place {
    const fn new() -> Place {
        Place {
            version: AtomicU32::new(0),
            start: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            faulted: AtomicU64::new(0),
            faults: AtomicU64::new(0),
        }
    }

    /// The caller holds the lock of `FREE`.
    fn set(&self, range: Range<usize>) {
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        self.start.store(range.start, Ordering::Relaxed);
        self.end.store(range.end, Ordering::Relaxed);
        self.faulted.store(0, Ordering::Relaxed);
        self.faults.store(0, Ordering::Relaxed);
        self.version.store(version.wrapping_add(2), Ordering::Release);
    }

    /// What is replaced for an address in it: a page, and ever more around it the more is lost. Each piece that is replaced
    /// splits the map, and Linux allows a process some 65 000 pieces. What is lost on the way is in the file.
    fn window(&self, address: usize, page: usize) -> (usize, usize) {
        let growth = (self.faults.load(Ordering::Relaxed) / ALONE).min(MAX_GROWTH);
        let span = page << growth;
        let start = address - address % span;
        let end = start.saturating_add(span).min(self.end.load(Ordering::Relaxed));
        (start.max(self.start.load(Ordering::Relaxed)), end)
    }

    /// False while the place changes: then it is none that a thread reads through at this moment.
    fn holds(&self, address: usize) -> bool {
        let version = self.version.load(Ordering::Acquire);
        let range = self.start.load(Ordering::Relaxed)..self.end.load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        version.is_multiple_of(2) && version == self.version.load(Ordering::Relaxed) && range.contains(&address)
    }
}

/// Faults in one map are survived as long as this lives. It must be dropped before the map.
#[derive(Debug)]
pub(super) struct Guarded {
    place: usize,
}

impl Guarded {
    /// Takes on the map of these bytes.
    ///
    /// # Errors
    /// There are too many maps, or the operating system refuses the handler.
    pub(super) fn new(start: *const u8, len: usize) -> io::Result<Guarded> {
        let start = start.addr();
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        install()?;
        let place = match free.pop() {
            Some(place) => place,
            None => {
                let next = TAKEN.load(Ordering::Relaxed);
                if next == MAX_MAPS {
                    return Err(io::Error::new(
                        io::ErrorKind::QuotaExceeded,
                        "too many files are mapped",
                    ));
                }
                next
            }
        };
        PLACES[place].set(start..start + len.next_multiple_of(PAGE.load(Ordering::Relaxed)));
        TAKEN.fetch_max(place + 1, Ordering::Release);
        Ok(Guarded { place })
    }

    /// Pages of this map that were replaced: those that could not be read, and later what lies around them.
    pub(super) fn faulted(&self) -> u64 {
        PLACES[self.place].faulted.load(Ordering::Relaxed)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        PLACES[self.place].set(0..0);
        free.push(self.place);
    }
}

/// Installs the handler, once. The caller holds the lock of `FREE`.
fn install() -> io::Result<()> {
    if BEFORE.get().is_some() {
        return Ok(());
    }
    let mut before = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the pointers are valid for the calls, and a zeroed sigaction is a valid one: no flags, an empty mask. It is
    // used only if the call that fills it in succeeded.
    let before = unsafe {
        if libc::sigaction(libc::SIGBUS, ptr::null(), before.as_mut_ptr()) != 0 {
            return Err(io::Error::last_os_error());
        }
        before.assume_init()
    };
    // SAFETY: asks for a number.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let page = usize::try_from(page).map_err(|_| io::Error::last_os_error())?;
    PAGE.store(page, Ordering::Relaxed);
    // SAFETY: as above.
    let mut action = unsafe { MaybeUninit::<libc::sigaction>::zeroed().assume_init() };
    let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = on_bus_error;
    action.sa_sigaction = handler as libc::sighandler_t;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    BEFORE.get_or_init(|| before);
    // SAFETY: the handler has the signature that SA_SIGINFO asks for, lives for ever, and does only what a signal handler
    // may do (see there).
    match unsafe { libc::sigaction(libc::SIGBUS, &raw const action, ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Runs on the thread that touched the page, in the middle of whatever it did: no lock, no allocation, no panic; only
/// atomics and calls that are safe in signal handlers.
extern "C" fn on_bus_error(signal: c_int, info: *mut libc::siginfo_t, _: *mut c_void) {
    // SAFETY: errno is the thread's own, and is put back: the code that was interrupted may be about to read it.
    let errno = unsafe { *libc::__errno_location() };
    // SAFETY: the kernel hands over a valid siginfo. `si_addr` is meant only where a fault raised the signal.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr().addr()) };
    // Other codes are memory that broke, which a new start mends, and signals that another process sent.
    if code != libc::BUS_ADRERR || !replace(address) {
        give_up(signal, code);
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

/// Puts zeros where the address lies; false if that is not in a map of ours, or if it cannot be done.
fn replace(address: usize) -> bool {
    let taken = &PLACES[..TAKEN.load(Ordering::Acquire).min(MAX_MAPS)];
    let Some(place) = taken.iter().find(|place| place.holds(address)) else {
        return false;
    };
    let page = PAGE.load(Ordering::Relaxed);
    let (start, end) = place.window(address, page);
    // SAFETY: the pages belong to a map of ours: the thread that faulted reads through it, so that it lives, and only its
    // own `munmap`, which takes the replaced page along, ends it. Rust may assume that bytes behind a `&[u8]` do not
    // change; the page of the address was never read: reading it raised this signal, and the read is made again once this
    // returns. Pages that were read before do change: those around it in a grown window, under other threads too, and one that was
    // dropped from the page cache and cannot be read again. Whoever reads a map validates the bytes of a row by its checksum,
    // where they must last in a copy of them, and no value of them is invalid: the worst is a damaged row. Zeros do not pass for a sound
    // row: its checksum lies elsewhere, in memory, and matches them only if zeros were written, or by the chance of 1 in
    // 2^32 that any damage has. `mmap` itself is a plain system call on Linux.
    let mapped = unsafe {
        libc::mmap(
            ptr::with_exposed_provenance_mut(start),
            end - start,
            libc::PROT_READ,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
            -1,
            0,
        )
    };
    if mapped == libc::MAP_FAILED {
        return false;
    }
    place
        .faulted
        .fetch_add(((end - start) / page) as u64, Ordering::Relaxed);
    place.faults.fetch_add(1, Ordering::Relaxed);
    true
}

/// Hands SIGBUS back to who had it before. A fault happens again after the return; a signal that was sent does not, and is
/// sent once more.
fn give_up(signal: c_int, code: c_int) {
    let Some(before) = BEFORE.get() else { return };
    // SAFETY: `before` is what the kernel gave us; `sigaction` and `raise` may be called in signal handlers. The raised
    // signal is blocked until this handler returns.
    unsafe {
        libc::sigaction(signal, before, ptr::null_mut());
        if code <= 0 {
            libc::raise(signal);
        }
    }
}

#[cfg(test)]
#[path = "fault_test.rs"]
mod tests;
