//! Pictures of what was measured: lines over time, in panels one above the other.

use std::fmt::Write as _;

/// Sizes, in the picture's units.
const WIDTH: f64 = 860.0;
const PANEL: f64 = 220.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 48.0;
const BETWEEN: f64 = 56.0;
const COLOURS: [&str; 4] = ["#2563eb", "#dc2626", "#059669", "#7c3aed"];

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

impl Line {
    /// A line through these points, from left to right.
    pub fn new(name: &str, points: Vec<(f64, f64)>) -> Self {
        Self {
            name: name.into(),
            points,
        }
    }
}

/// A picture.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Above all.
    pub title: String,
    /// What is measured from left to right.
    pub across: String,
    /// A part that is shaded, in that measure.
    pub shaded: (f64, f64),
    /// What each panel shows, and its lines.
    pub panels: Vec<(String, Vec<Line>)>,
}

impl Chart {
    /// The picture as SVG.
    pub fn draw(&self) -> String {
        let height = TOP + self.panels.len() as f64 * (PANEL + BETWEEN);
        let most = self.most(|point| point.0);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"white\"/>\n"
        );
        text(&mut svg, LEFT, 24.0, "start", 16, &self.title);
        for (n, (name, lines)) in self.panels.iter().enumerate() {
            let top = TOP + n as f64 * (PANEL + BETWEEN);
            self.panel(&mut svg, top, most, name, lines);
        }
        svg + "</svg>\n"
    }

    fn most(&self, of: fn(&(f64, f64)) -> f64) -> f64 {
        let lines = self.panels.iter().flat_map(|(_, lines)| lines);
        let points = lines.flat_map(|line| &line.points);
        points.map(of).fold(1.0, f64::max)
    }

    fn panel(&self, svg: &mut String, top: f64, across: f64, name: &str, lines: &[Line]) {
        let highest = lines.iter().flat_map(|line| &line.points).map(|p| p.1);
        let step = round_step(highest.fold(1e-9, f64::max) / 4.0);
        let up = step
            * (lines
                .iter()
                .flat_map(|l| &l.points)
                .map(|p| p.1)
                .fold(0.0, f64::max)
                / step)
                .ceil()
                .max(1.0);
        let x = |value: f64| LEFT + value / across * (WIDTH - LEFT - RIGHT);
        let y = |value: f64| top + PANEL - value / up * PANEL;
        let (from, until) = (x(self.shaded.0), x(self.shaded.1.min(across)));
        let _ = writeln!(
            svg,
            "<rect x=\"{from:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"{PANEL}\" fill=\"#fef3c7\"/>",
            (until - from).max(0.0)
        );
        let mut mark = 0.0;
        while mark <= up * 1.0001 {
            let at = y(mark);
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#e5e7eb\"/>",
                WIDTH - RIGHT
            );
            text(svg, LEFT - 6.0, at + 4.0, "end", 11, &number(mark));
            mark += step;
        }
        let step = round_step(across / 8.0);
        for n in 0..=(across / step) as usize {
            let at = n as f64 * step;
            text(svg, x(at), top + PANEL + 16.0, "middle", 11, &number(at));
        }
        text(svg, WIDTH - RIGHT, top + PANEL + 32.0, "end", 11, &self.across);
        text(svg, LEFT, top - 6.0, "start", 12, name);
        for (n, line) in lines.iter().enumerate() {
            let colour = COLOURS[n % COLOURS.len()];
            let points: Vec<String> = line
                .points
                .iter()
                .map(|p| format!("{:.1},{:.1}", x(p.0), y(p.1)))
                .collect();
            let _ = writeln!(
                svg,
                "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\" points=\"{}\"/>",
                points.join(" ")
            );
            let at = WIDTH - RIGHT - 90.0 * (lines.len() - n) as f64;
            let _ = writeln!(
                svg,
                "<rect x=\"{at:.1}\" y=\"{:.1}\" width=\"12\" height=\"3\" fill=\"{colour}\"/>",
                top - 12.0
            );
            text(svg, at + 16.0, top - 6.0, "start", 11, &line.name);
        }
    }
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, size: u32, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-size=\"{size}\">{words}</text>"
    );
}

/// The next of 1, 2, 5, 10, 20 … and their fractions.
fn round_step(at_least: f64) -> f64 {
    let unit = 10_f64.powf(at_least.max(1e-9).log10().floor());
    let fits = [1.0, 2.0, 5.0, 10.0].into_iter().find(|n| n * unit >= at_least);
    fits.unwrap_or(10.0) * unit
}

fn number(value: f64) -> String {
    match value {
        1e6.. => format!("{:.1} M", value / 1e6),
        1e4.. => format!("{:.0} k", value / 1e3),
        _ if value.fract() == 0.0 => format!("{value:.0}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_cover() {
        for (at_least, step) in [(0.3, 0.5), (1.0, 1.0), (1.2, 2.0), (33.0, 50.0), (70.0, 100.0)] {
            let rounded = round_step(at_least);
            assert!((rounded - step).abs() < 1e-9, "{at_least}: {rounded}");
        }
    }

    #[test]
    fn a_picture_is_whole_and_words_do_not_break_it() {
        let chart = Chart {
            title: "a < b & c".into(),
            across: "s".into(),
            shaded: (1.0, 2.0),
            panels: vec![("up".into(), vec![Line::new("one", vec![(0.0, 1.0), (3.0, 4.0)])])],
        };
        let svg = chart.draw();
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("a &lt; b &amp; c"));
        assert_eq!(svg.matches("<polyline").count(), 1);
        assert!(
            svg.contains(&format!("{:.1},", WIDTH - RIGHT)),
            "the last point is at the right edge"
        );
    }
}
