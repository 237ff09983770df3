//! Telling whether the process of a run still lives, so that a killed run does not block its recipe.

use std::fs;
use std::path::Path;

/// This process, told apart from every other one on this machine: namespace, number and time of start, as Linux has
/// them. Elsewhere it is empty, and only the heartbeat tells.
pub(super) fn this_process() -> String {
    describe("self").unwrap_or_default()
}

/// Tells whether a process is certainly no more. Of a process on another machine, or in another container, nothing is
/// certain.
pub(super) fn has_ended(process: &str) -> bool {
    let mut parts = process.split('/');
    let (Some(machine), Some(namespace), Some(number)) = (parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let here = this_process();
    if machine.is_empty() || !here.starts_with(&format!("{machine}/{namespace}/")) {
        return false;
    }
    describe(number).is_none_or(|now| now != process)
}

/// `boot/namespace/number/start` of a process of this machine; nothing when there is none of that number.
fn describe(number: &str) -> Option<String> {
    let root = Path::new("/proc");
    let boot = fs::read_to_string(root.join("sys/kernel/random/boot_id")).ok()?;
    let namespace = fs::read_link(root.join(number).join("ns/pid")).ok()?;
    let stat = fs::read_to_string(root.join(number).join("stat")).ok()?;
    // The name, in parentheses, may hold anything; the start is the 20th word behind it (proc(5), field 22).
    let (head, rest) = stat.rsplit_once(')')?;
    let number = head.split(' ').next()?;
    let begun = rest.split_whitespace().nth(19)?;
    let state = rest.split_whitespace().next()?;
    let boot = boot.trim();
    (state != "Z").then(|| format!("{boot}/{}/{number}/{begun}", namespace.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_not_ended() {
        assert!(!has_ended(&this_process()));
    }

    #[test]
    fn a_number_given_to_another_process_does_not_keep_the_first_alive() {
        let here = this_process();
        let (rest, _start) = here.rsplit_once('/').unwrap();

        assert!(has_ended(&format!("{rest}/1")));
    }

    #[test]
    fn nothing_is_certain_of_another_machine() {
        assert!(!has_ended("another-boot/pid:[1]/1/1"));
        assert!(!has_ended(""));
    }
}
