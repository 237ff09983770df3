//! A schedule in words. The words are made from the times themselves, so that `*/6` and `0,6,12,18` read the same.

use croner::Cron;

/// At most this many times of a day are listed one by one.
const MOST_TIMES: usize = 6;

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

const DAY_CODES: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Says when five fields run; without a full stop, so that a time zone can follow.
pub(super) fn of(cron: &str, pattern: &Cron) -> String {
    let pattern = &pattern.pattern;
    let matching = |range: std::ops::Range<u32>, matches: &dyn Fn(u32) -> bool| -> Vec<u32> {
        range.filter(|number| matches(*number)).collect()
    };
    let minutes = matching(0..60, &|minute| {
        pattern.minute_match(minute).unwrap_or(false)
    });
    let hours = matching(0..24, &|hour| pattern.hour_match(hour).unwrap_or(false));
    let months = matching(1..13, &|month| pattern.month_match(month).unwrap_or(false));
    let mut fields = cron.split(' ').skip(2);
    let month_days = fields.next().unwrap_or("*");
    let week_days = fields.nth(1).unwrap_or("*");

    let days = days(month_days, week_days, &months);
    if minutes.len() * hours.len() <= MOST_TIMES {
        return format!("{} at {}", capital(&days), times(&hours, &minutes));
    }
    let often = often(&hours, &minutes);
    match days.as_str() {
        "every day" => often,
        days => format!("{often}, {days}"),
    }
}

fn times(hours: &[u32], minutes: &[u32]) -> String {
    let times: Vec<_> = hours
        .iter()
        .flat_map(|hour| minutes.iter().map(|minute| clock(*hour, *minute)))
        .collect();
    list(&times)
}

/// More times than anybody wants listed.
fn often(hours: &[u32], minutes: &[u32]) -> String {
    let (first_hour, last_hour) = ends(hours);
    let (first, last) = ends(minutes);
    let from_to = format!(
        "from {} to {}",
        clock(first_hour, first),
        clock(last_hour, last)
    );
    match (step(hours), minutes, step(minutes)) {
        (Some(1), [0], _) if hours.len() == 24 => "Every hour, on the hour".to_owned(),
        (Some(1), [minute], _) if hours.len() == 24 => format!("Every hour, at minute {minute}"),
        (Some(hour_step), [_], _) => format!("Every {} {from_to}", several(hour_step, "hour")),
        (Some(1), _, Some(step)) if covers(minutes, step) && hours.len() < 24 => {
            format!("Every {} {from_to}", several(step, "minute"))
        }
        (Some(1), _, Some(step)) if covers(minutes, step) && first == 0 => {
            format!("Every {}", several(step, "minute"))
        }
        (Some(1), _, Some(step)) if covers(minutes, step) => {
            format!(
                "Every {}, beginning at minute {first}",
                several(step, "minute")
            )
        }
        _ if minutes.len() == 60 => format!("Every minute {}", of_hours(hours)),
        (_, [minute], _) => format!("At minute {minute} {}", of_hours(hours)),
        _ => format!("At minutes {} {}", list(&numbers(minutes)), of_hours(hours)),
    }
}

fn of_hours(hours: &[u32]) -> String {
    match (hours.len(), step(hours)) {
        (24, _) => "of every hour".to_owned(),
        (3.., Some(1)) => {
            let (first, last) = ends(hours);
            format!("of the hours from {first} to {last}")
        }
        (1, _) => format!("of hour {}", list(&numbers(hours))),
        _ => format!("of the hours {}", list(&numbers(hours))),
    }
}

/// Which days, beginning in lower case.
fn days(month_days: &str, week_days: &str, months: &[u32]) -> String {
    let month_names: Vec<_> = months
        .iter()
        .filter_map(|month| MONTHS.get((*month as usize).checked_sub(1)?))
        .map(ToString::to_string)
        .collect();
    let (of_months, in_months) = match month_names.as_slice() {
        names if names.len() == MONTHS.len() => ("every month".to_owned(), String::new()),
        [first, _, .., last] if step(months) == Some(1) => {
            let from_to = format!(" from {first} to {last}");
            (format!("every month{from_to}"), from_to)
        }
        names => (list(names), format!(" in {}", list(names))),
    };
    let in_month =
        (!is_any(month_days)).then(|| format!("on {} of {of_months}", days_of_month(month_days)));
    let in_week = (!is_any(week_days))
        .then(|| days_of_week(week_days))
        .filter(|days| days != "every day")
        .map(|days| format!("{days}{in_months}"));
    match (in_month, in_week) {
        (Some(in_month), Some(in_week)) => format!("{in_month} and {in_week}"),
        (Some(days), None) if is_any(week_days) => days,
        (None, Some(days)) => days,
        _ => format!("every day{in_months}"),
    }
}

fn is_any(field: &str) -> bool {
    matches!(field, "*" | "?")
}

fn days_of_month(field: &str) -> String {
    let numbers = expanded(field, 1, 31, |word| word.parse().ok());
    let special: Vec<_> = field.split(',').filter_map(special_day_of_month).collect();
    let ordinals: Vec<_> = numbers.iter().map(|number| ordinal(*number)).collect();
    let days = if ordinals.is_empty() {
        Vec::new()
    } else {
        vec![format!(
            "the {}",
            range_or_list(&ordinals, step(&numbers) == Some(1))
        )]
    };
    list(&[days, special].concat())
}

fn special_day_of_month(part: &str) -> Option<String> {
    match part {
        "L" => Some("the last day".to_owned()),
        "LW" | "WL" => Some("the last weekday".to_owned()),
        part => {
            let day = part.strip_suffix('W')?.parse().ok()?;
            Some(format!("the weekday nearest the {}", ordinal(day)))
        }
    }
}

fn days_of_week(field: &str) -> String {
    let mut numbers: Vec<_> = expanded(field, 0, 7, day_of_week)
        .into_iter()
        .map(|day| if day == 0 { 7 } else { day })
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    let names: Vec<_> = numbers.iter().filter_map(|day| day_name(*day)).collect();
    let special: Vec<_> = field.split(',').filter_map(special_day_of_week).collect();
    let regular = match names.len() {
        0 => Vec::new(),
        7 => vec!["every day".to_owned()],
        3.. if step(&numbers) == Some(1) => vec![range_or_list(&names, true)],
        _ => vec![format!("every {}", list(&names))],
    };
    list(&[regular, special].concat())
}

fn special_day_of_week(part: &str) -> Option<String> {
    if let Some((day, which)) = part.split_once('#') {
        let day = day_name(day_of_week(day)?)?;
        let which = match which {
            "L" => "last".to_owned(),
            which => ordinal(which.parse().ok()?),
        };
        return Some(format!("on the {which} {day} of the month"));
    }
    let day = day_name(day_of_week(part.strip_suffix('L')?)?)?;
    Some(format!("on the last {day} of the month"))
}

fn day_of_week(word: &str) -> Option<u32> {
    let code = DAY_CODES.iter().zip(1..).find(|(code, _)| **code == word);
    code.map(|(_, day)| day).or_else(|| word.parse().ok())
}

/// The name of a day; both 0 and 7 are Sunday.
fn day_name(day: u32) -> Option<String> {
    let index = (day as usize + 6) % 7;
    DAYS.get(index).map(ToString::to_string)
}

/// The numbers that a field of numbers, ranges and steps stands for; parts of another shape are left out.
fn expanded(field: &str, min: u32, max: u32, number: impl Fn(&str) -> Option<u32>) -> Vec<u32> {
    let mut numbers: Vec<_> = field
        .split(',')
        .filter_map(|part| {
            let (range, step) = part.split_once('/').unwrap_or((part, "1"));
            let step = step.parse().ok().filter(|step| *step > 0)?;
            let (first, last) = match range.split_once('-') {
                _ if range == "*" => (min, max),
                Some((first, last)) => (number(first)?, number(last)?),
                None if part.contains('/') => (number(range)?, max),
                None => (number(range)?, number(range)?),
            };
            let last = if last < first && last == 0 { 7 } else { last };
            Some((first..=last.min(max)).step_by(step))
        })
        .flatten()
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The distance between numbers, if there are two or more and it is always the same.
fn step(numbers: &[u32]) -> Option<u32> {
    let mut steps = numbers.windows(2).map(|pair| match pair {
        [one, other] => other - one,
        _ => 0,
    });
    let first = steps.next()?;
    steps.all(|step| step == first).then_some(first)
}

/// Tells whether minutes at this distance go evenly round the clock.
fn covers(minutes: &[u32], step: u32) -> bool {
    60 % step == 0 && u32::try_from(minutes.len()) == Ok(60 / step)
}

fn ends(numbers: &[u32]) -> (u32, u32) {
    let first = numbers.first().copied().unwrap_or_default();
    (first, numbers.last().copied().unwrap_or(first))
}

fn clock(hour: u32, minute: u32) -> String {
    format!("{hour:02}:{minute:02}")
}

fn several(count: u32, what: &str) -> String {
    match count {
        1 => what.to_owned(),
        count => format!("{count} {what}s"),
    }
}

fn ordinal(number: u32) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

fn numbers(numbers: &[u32]) -> Vec<String> {
    numbers.iter().map(ToString::to_string).collect()
}

fn range_or_list(names: &[String], is_range: bool) -> String {
    match names {
        [first, _, .., last] if is_range => format!("{first} to {last}"),
        names => list(names),
    }
}

fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}
