//! What is known of a schema after a statement, of which only what may have changed was read, is what there is.

use std::ffi::OsString;

use gatepost::migration::split::split;
use gatepost::model::migration::{DatabaseKind, Facts, Form, Piece, Script, Source, Transaction};
use gatepost::world::database::postgres::Postgres;
use gatepost::world::database::programs::Surroundings;
use gatepost::world::database::{Database, Ran};

use super::Place;

/// In each of these one statement changes what another one made, in ways that leave no lock, no new row, or neither.
const STATEMENTS: &str = r"
CREATE TABLE a (id bigint PRIMARY KEY, name text, n int CHECK (n > 0));
CREATE TABLE b (id bigint, a bigint REFERENCES a);
CREATE INDEX b_a ON b (a);
ALTER INDEX b_a RENAME TO b_of_a;
CREATE TYPE mood AS ENUM ('good');
ALTER TYPE mood ADD VALUE 'bad';
ALTER TYPE mood RENAME VALUE 'good' TO 'fine';
CREATE TABLE with_mood (m mood, many mood[]);
ALTER TYPE mood RENAME TO state;
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
ALTER DOMAIN positive ADD CONSTRAINT small CHECK (VALUE < 10) NOT VALID;
ALTER DOMAIN positive VALIDATE CONSTRAINT small;
ALTER DOMAIN positive DROP CONSTRAINT small;
CREATE TABLE c (p positive, q int);
ALTER TABLE c ADD CONSTRAINT q_small CHECK (q < 5) NOT VALID;
ALTER TABLE c VALIDATE CONSTRAINT q_small;
CREATE ROLE reader;
CREATE ROLE other_owner;
GRANT SELECT ON a TO reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
REVOKE SELECT ON a FROM reader;
GRANT UPDATE (name) ON a TO reader;
CREATE SEQUENCE s INCREMENT 2;
GRANT USAGE ON s TO reader;
ALTER SEQUENCE s INCREMENT 5;
ALTER TABLE b ALTER COLUMN id SET DEFAULT nextval('s');
ALTER TABLE b ALTER COLUMN id SET DEFAULT 7;
ALTER TABLE b ALTER COLUMN id DROP DEFAULT;
ALTER TABLE b ALTER COLUMN a SET NOT NULL;
ALTER TABLE b ALTER COLUMN a TYPE int;
ALTER TABLE a RENAME COLUMN name TO title;
ALTER TABLE a RENAME TO aa;
ALTER TABLE aa ADD COLUMN long text DEFAULT 'x', ADD COLUMN made int GENERATED ALWAYS AS (n * 2) STORED;
ALTER TABLE aa DROP COLUMN long;
CREATE VIEW v AS SELECT id, title FROM aa;
CREATE OR REPLACE VIEW v AS SELECT id, title, n FROM aa;
CREATE MATERIALIZED VIEW mv AS SELECT count(*) AS n FROM aa;
REFRESH MATERIALIZED VIEW mv;
ALTER TABLE aa RENAME COLUMN title TO heading;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.n := 1; RETURN NEW; END $$;
CREATE TRIGGER t BEFORE INSERT ON aa FOR EACH ROW EXECUTE FUNCTION f();
ALTER TABLE aa DISABLE TRIGGER t;
ALTER TRIGGER t ON aa RENAME TO tt;
ALTER FUNCTION f() RENAME TO g;
ALTER TABLE aa RENAME TO aaa;
ALTER TABLE aaa ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON aaa USING (id > 0);
ALTER POLICY p ON aaa USING (id > 1);
DROP POLICY p ON aaa;
CREATE RULE r AS ON DELETE TO b DO INSTEAD NOTHING;
DROP RULE r ON b;
INSERT INTO aaa (id, n) VALUES (1, 1);
UPDATE aaa SET heading = 'x';
DELETE FROM aaa;
TRUNCATE b;
CREATE TABLE parted (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE INDEX parted_at ON parted (at);
CREATE TABLE parted_2 (id int, at date);
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
ALTER TABLE parted DETACH PARTITION parted_1;
CREATE TABLE child () INHERITS (c);
ALTER TABLE c ADD COLUMN later text;
ALTER TABLE child NO INHERIT c;
ALTER TABLE c SET (fillfactor = 70);
ALTER TABLE c SET UNLOGGED;
CREATE SCHEMA second;
ALTER TABLE c SET SCHEMA second;
ALTER SCHEMA second RENAME TO third;
ALTER TABLE third.c OWNER TO other_owner;
REASSIGN OWNED BY other_owner TO CURRENT_USER;
CREATE TEMP TABLE passing (id int PRIMARY KEY, t text);
CREATE TABLE copied (LIKE aaa INCLUDING ALL);
CREATE TABLE taken AS SELECT 1 AS one;
SELECT 2 AS two INTO taken_too;
CREATE TYPE pair AS (x int, y text);
ALTER TYPE pair ADD ATTRIBUTE z int;
ALTER TYPE pair RENAME ATTRIBUTE z TO zz;
CREATE TABLE of_pair OF pair;
CREATE TYPE span AS RANGE (subtype = int);
ALTER TABLE b ADD CONSTRAINT b_key UNIQUE (id), ADD CONSTRAINT apart EXCLUDE (id WITH =);
ALTER TABLE b RENAME CONSTRAINT b_key TO b_id_key;
ALTER TABLE b DROP CONSTRAINT b_a_fkey;
DO $$ BEGIN CREATE TYPE hidden AS ENUM ('a'); CREATE TABLE hidden_too (h hidden); ALTER TABLE b ADD COLUMN h hidden; END $$;
DO $$ BEGIN DROP TABLE hidden_too; CREATE DOMAIN late AS text; DROP TYPE span; END $$;
DO $$ BEGIN CREATE TABLE lost (id int); RAISE EXCEPTION 'no'; EXCEPTION WHEN OTHERS THEN CREATE TYPE kept AS ENUM ('k'); END $$;
DO $$ BEGIN GRANT INSERT ON b TO reader; ALTER TABLE copied ADD COLUMN also int; END $$;
DO $$ BEGIN GRANT INSERT ON copied TO reader; CREATE TABLE new_too (t text); END $$;
SELECT f FROM nowhere;
ALTER TABLE copied ALTER COLUMN heading SET DEFAULT 'a';
ALTER TABLE copied ALTER COLUMN heading SET DEFAULT 'b';
COMMENT ON TABLE copied IS 'x';
DROP OWNED BY reader;
DROP VIEW v;
DROP TABLE aaa CASCADE;
DROP FUNCTION g CASCADE;
DROP TYPE state CASCADE;
DROP SCHEMA third CASCADE;
DISCARD TEMP;
CREATE TABLE after_temp (id int);
DISCARD PLANS;
DEALLOCATE ALL;
CREATE TABLE after_all (id int);
";

#[test]
fn what_is_known_after_each_statement_is_what_there_is() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let script = |text: &str| {
        let piece = Piece { line: 1, text: text.to_owned(), whole: false };
        split(
            &Script { path: String::new(), pieces: vec![piece], transaction: Transaction::None },
            DatabaseKind::Postgres,
        )
    };
    let statements = script(STATEMENTS);
    assert!(statements.len() > 100);
    // So many tables that only those are read again of which a row was written.
    let crowd: Vec<String> = (0..40).map(|at| format!("CREATE TABLE crowd_{at} (id int PRIMARY KEY);")).collect();
    let crowd = crowd.concat();
    runtime.block_on(async {
        for (transaction, crowd) in [(true, ""), (false, ""), (true, crowd.as_str())] {
            let place = Place::new();
            let environment = environment(&place);
            let mut database = Postgres::scratch(Surroundings(&environment), None, false).await.unwrap();
            database.begin(transaction, true).await.unwrap();
            for source in script(crowd).iter().chain(&statements) {
                run(&mut database, source).await;
                let at = format!("in one transaction: {transaction}, after {}", source.sql);
                same(&database.facts().await.unwrap(), &database.facts_anew().await.unwrap(), &at);
            }
            assert_eq!(database.end(true).await.unwrap(), None);
            database.stop().await;
        }
    });
}

#[test]
fn what_nobody_looked_at_or_was_taken_back_is_no_reason_to_miss_a_change() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let source = |sql: &str| Source { line: 1, column: 1, sql: sql.to_owned(), form: Form::Sql };
    let drop = source("ALTER DOMAIN d DROP CONSTRAINT positive");
    runtime.block_on(async {
        let place = Place::new();
        let environment = environment(&place);
        let mut database = Postgres::scratch(Surroundings(&environment), None, false).await.unwrap();
        let made = source("CREATE DOMAIN d AS int CONSTRAINT positive CHECK (VALUE > 0)");
        assert!(database.at_once(&[made]).await.unwrap());
        // Once to be taken back, and once for good.
        for keep in [false, true] {
            database.begin(true, true).await.unwrap();
            let Ran::Done(statement) = database.run(&drop).await.unwrap() else { panic!("the connection is lost") };
            assert_eq!(statement.changes.len(), 1, "kept: {keep}, {statement:?}");
            same(&database.facts().await.unwrap(), &database.facts_anew().await.unwrap(), &drop.sql);
            database.end(keep).await.unwrap();
        }
        database.begin(true, true).await.unwrap();
        run(&mut database, &source("CREATE TABLE t (id int)")).await;
        run(&mut database, &source("DISCARD TEMP")).await;
        database.end(true).await.unwrap();
        // What tells of a statement went with the one before it.
        database.begin(true, true).await.unwrap();
        run(&mut database, &source("SELECT 1")).await;
        database.run(&source("DROP FUNCTION pg_temp.gatepost_all()")).await.unwrap();
        database
            .run(&source("DROP FUNCTION pg_temp.gatepost_look(int8, int8, int8[], int8, int8[], int8)"))
            .await
            .unwrap();
        let Ran::Done(statement) = database.run(&source("ALTER TABLE t ADD COLUMN n int")).await.unwrap() else {
            panic!("the connection is lost")
        };
        assert_eq!((statement.locks.len(), statement.changes.len()), (1, 1), "{statement:?}");
        database.end(true).await.unwrap();
        database.stop().await;
    });
}

fn environment(place: &Place) -> Vec<(OsString, OsString)> {
    let path = std::env::var_os("PATH").unwrap();
    vec![("PATH".into(), path), ("TMPDIR".into(), place.temp.clone().into())]
}

async fn run(database: &mut Postgres, source: &Source) {
    let Ran::Done(statement) = database.run(source).await.unwrap() else { panic!("{}", source.sql) };
    let is_refused = source.sql.contains("nowhere");
    assert_eq!(statement.error.is_some(), is_refused, "{}: {:?}", source.sql, statement.error);
}

fn same(known: &Facts, there: &Facts, at: &str) {
    let lacks = |one: &Facts, other: &Facts| -> Vec<String> {
        let differs = one.iter().filter(|(object, fact)| other.get(object).is_none_or(|other| other != *fact));
        differs.map(|(object, fact)| format!("{object:?} {fact:?}")).collect()
    };
    assert_eq!((lacks(known, there), lacks(there, known)), (Vec::new(), Vec::new()), "{at}");
}
