\set k :k + 1
\set n :client_id * :each + :k
SELECT * FROM apitoken.revoke((SELECT id FROM bench.chosen WHERE n = :n), 'lost');
