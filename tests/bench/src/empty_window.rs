//! What the window is measured against: a program with an event loop that waits, and on a word makes a window with a web
//! view in it, which shows one word. Nothing less is a window at all.

use std::io::{BufRead as _, BufReader};

use tao::dpi::LogicalSize;
use tao::event::Event;
use tao::event_loop::{ControlFlow, EventLoopBuilder, EventLoopWindowTarget};
use tao::platform::run_return::EventLoopExtRunReturn as _;
use tao::platform::unix::WindowExtUnix as _;
use tao::window::{Window, WindowBuilder};
use wry::{WebContext, WebView, WebViewBuilder, WebViewBuilderExtUnix as _};

/// One word in the middle, where the window is looked at.
const PAGE: &str =
    "<!doctype html><body style=\"font: 48px sans-serif; text-align: center; padding-top: 250px\">Empty";

/// What it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Open,
    Close,
    End,
}

/// Runs until its input ends: `open` opens the window, `close` closes it.
pub(crate) fn run() {
    gtk::init().unwrap();
    let mut events = EventLoopBuilder::<Order>::with_user_event().build();
    let proxy = events.create_proxy();
    std::thread::spawn(move || {
        for line in BufReader::new(std::io::stdin()).lines().map_while(Result::ok) {
            let order = if line == "open" { Order::Open } else { Order::Close };
            if proxy.send_event(order).is_err() {
                break;
            }
        }
        let _gone = proxy.send_event(Order::End);
    });
    let folder = tempfile::tempdir().unwrap();
    let mut shown: Option<(WebView, WebContext, Window)> = None;
    events.run_return(|event, target, flow| {
        *flow = ControlFlow::Wait;
        match event {
            Event::UserEvent(Order::Open) => shown = Some(open(target, folder.path())),
            Event::UserEvent(Order::Close) => shown = None,
            Event::UserEvent(Order::End) => *flow = ControlFlow::Exit,
            _ => {}
        }
    });
}

fn open(target: &EventLoopWindowTarget<Order>, folder: &std::path::Path) -> (WebView, WebContext, Window) {
    let window = WindowBuilder::new().with_title("Empty").with_inner_size(LogicalSize::new(960, 680));
    let window = window.build(target).unwrap();
    let mut context = WebContext::new(Some(folder.to_owned()));
    let builder = WebViewBuilder::new_with_web_context(&mut context).with_html(PAGE);
    let view = builder.build_gtk(window.default_vbox().unwrap()).unwrap();
    window.set_focus();
    (view, context, window)
}
