//! A browser that keeps its cookie and follows nothing by itself.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request},
};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use tower::ServiceExt;

use crate::http::world::World;

/// A browser at a world's console.
pub struct Browser {
    router: Router,
    cookie: Mutex<Option<String>>,
}

/// What it got.
pub struct Shown {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Shown {
    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// The value of a hidden field.
    pub fn hidden(&self, name: &str, act: &str) -> String {
        let form = self.text.find(&format!("/{act}\"")).expect("the form");
        let field = format!("name=\"{name}\" value=\"");
        let at = form + self.text[form..].find(&field).expect("the field") + field.len();
        let end = self.text[at..].find('"').expect("its end");
        self.text[at..at + end].to_owned()
    }
}

impl Browser {
    /// Not signed in.
    pub fn at(world: &World) -> Self {
        let router = world.router.clone();
        let cookie = Mutex::default();
        Self { router, cookie }
    }

    /// Signed in with a key.
    pub async fn signed_in(world: &World, key: &str) -> Self {
        let browser = Self::at(world);
        let entered = browser
            .post("/console/sign-in", &format!("key={key}&then="))
            .await;
        assert_eq!(entered.status, 303, "{}", entered.text);
        browser
    }

    /// The cookie that it holds.
    pub fn cookie(&self) -> String {
        self.cookie.lock().clone().expect("it is signed in")
    }

    pub async fn get(&self, path: &str) -> Shown {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    pub async fn post(&self, path: &str, form: &str) -> Shown {
        let request =
            Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form.to_owned())).unwrap())
            .await
    }

    pub async fn send(&self, mut request: Request<Body>) -> Shown {
        if let Some(cookie) = &*self.cookie.lock() {
            request
                .headers_mut()
                .insert("cookie", cookie.parse().unwrap());
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        if let Some(set) = parts.headers.get("set-cookie") {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            *self.cookie.lock() = Some(pair.to_owned());
        }
        Shown {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}
