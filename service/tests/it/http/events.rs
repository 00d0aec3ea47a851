//! Events: listed and read.

use super::world::World;

#[tokio::test]
async fn events_are_listed_and_found() {
    let world = World::new().await;
    let payment = world.cleared().await;
    let listed = world.get("/v1/events").await.expect(200);
    let events = listed["data"].as_array().unwrap();
    assert_eq!(events.len(), 3);
    for event in events {
        let id = event["id"].as_str().unwrap();
        assert_eq!(
            &world.get(&format!("/v1/events/{id}")).await.expect(200),
            event
        );
        assert_eq!(event["payment"], payment.as_str());
    }
    let cleared = world
        .get("/v1/events?type=payment.cleared")
        .await
        .expect(200);
    assert_eq!(cleared["data"].as_array().unwrap().len(), 1);
    let world_of_none = "evt_00000000000000000000000000";
    world
        .get(&format!("/v1/events/{world_of_none}"))
        .await
        .refused(404, "not_found", None);
    world
        .get("/v1/events?type=payment.lost")
        .await
        .refused(400, "invalid_parameter", Some("type"));
}
