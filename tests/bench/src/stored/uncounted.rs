//! Work that callgrind need not follow, which would take minutes for a million records.

/// `VG_USERREQ__START_INSTRUMENTATION` and `…STOP…` of `valgrind/callgrind.h`.
#[cfg(target_arch = "x86_64")]
const START: usize = 0x4354_0004;
#[cfg(target_arch = "x86_64")]
const STOP: usize = 0x4354_0005;

/// Does something that callgrind takes no notice of. Without callgrind, it is simply done.
pub(super) fn uncounted<T>(work: impl FnOnce() -> T) -> T {
    #[cfg(target_arch = "x86_64")]
    request(STOP);
    let done = work();
    #[cfg(target_arch = "x86_64")]
    request(START);
    done
}

#[cfg(target_arch = "x86_64")]
fn request(number: usize) {
    let arguments = [number, 0, 0, 0, 0, 0];
    // SAFETY: to a processor these turn a register once around and exchange another with itself. Valgrind knows the sequence
    // by sight, reads the arguments, and leaves an answer in `rdx`.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") arguments.as_ptr(),
            inout("rdx") 0_usize => _,
        );
    }
}
