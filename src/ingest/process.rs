//! Telling whether the process of a run still lives, so that a killed run does not block its recipe.

use std::path::Path;
use std::{fs, io};

/// This process, told apart from every other one on this machine: namespace, number and time of start, as Linux has
/// them. Elsewhere it is empty, and only the heartbeat tells.
pub(super) fn this_process() -> String {
    describe().unwrap_or_default()
}

/// What is known of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    Lives,
    HasEnded,
    /// It is on another machine, or in another container.
    Unknown,
}

/// Tells whether a process lives.
pub(super) fn life_of(process: &str) -> Life {
    let mut parts = process.split('/');
    let (Some(machine), Some(namespace), Some(number)) = (parts.next(), parts.next(), parts.next())
    else {
        return Life::Unknown;
    };
    if machine.is_empty() || !this_process().starts_with(&format!("{machine}/{namespace}/")) {
        return Life::Unknown;
    }
    match fs::read_to_string(Path::new("/proc").join(number).join("stat")) {
        Ok(stat) => match begun(&stat) {
            Some(begun) if process.ends_with(&format!("/{number}/{begun}")) => Life::Lives,
            _ => Life::HasEnded,
        },
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Life::HasEnded,
        Err(_) => Life::Unknown,
    }
}

/// `boot/namespaces/number/start` of this process; nothing where `/proc` shows another namespace than its own, so that
/// the number would mean somebody else to its neighbours.
fn describe() -> Option<String> {
    let root = Path::new("/proc");
    let boot = fs::read_to_string(root.join("sys/kernel/random/boot_id")).ok()?;
    let status = fs::read_to_string(root.join("self/status")).ok()?;
    if !shows_own_namespace(&status) {
        return None;
    }
    let pids = fs::read_link(root.join("self/ns/pid")).ok()?;
    // The start of a process is told in the time of the namespace that asks.
    let times = fs::read_link(root.join("self/ns/time")).unwrap_or_default();
    let stat = fs::read_to_string(root.join("self/stat")).ok()?;
    let number = stat.split(' ').next()?;
    let (boot, begun) = (boot.trim(), begun(&stat)?);
    let (pids, times) = (pids.display(), times.display());
    Some(format!("{boot}/{pids}{times}/{number}/{begun}"))
}

/// Tells whether a process has one number alone where its status was read; one for each namespace is listed.
fn shows_own_namespace(status: &str) -> bool {
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    numbers.is_some_and(|numbers| numbers.split_whitespace().count() == 1)
}

/// When a process began, in its machine's ticks; nothing when only its parent still has to hear of its end.
///
/// The name, in parentheses, may hold anything; the start is the 20th word behind it (proc(5), field 22).
fn begun(stat: &str) -> Option<&str> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut words = rest.split_whitespace();
    let state = words.next()?;
    (state != "Z").then(|| words.nth(18)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_not_ended() {
        assert_eq!(life_of(&this_process()), Life::Lives);
    }

    #[test]
    fn a_number_given_to_another_process_does_not_keep_the_first_alive() {
        let here = this_process();
        let (rest, _start) = here.rsplit_once('/').unwrap();

        assert_eq!(life_of(&format!("{rest}/1")), Life::HasEnded);
    }

    #[test]
    fn a_process_is_not_known_by_its_number_in_another_namespace() {
        assert!(shows_own_namespace("Name:\tgazetteer\nNSpid:\t7\n"));
        assert!(!shows_own_namespace("Name:\tgazetteer\nNSpid:\t4711\t7\n"));
        assert!(!shows_own_namespace("Name:\tgazetteer\n"));
    }

    #[test]
    fn nothing_is_certain_of_another_machine() {
        assert_eq!(life_of("another-boot/pid:[1]/1/1"), Life::Unknown);
        assert_eq!(life_of(""), Life::Unknown);
    }
}
