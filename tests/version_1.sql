BEGIN TRANSACTION;
CREATE TABLE ai_call_results (
	business_id TEXT NOT NULL, 
	id TEXT NOT NULL, 
	answers TEXT NOT NULL, 
	expires_at INTEGER NOT NULL, 
	PRIMARY KEY (business_id, id)
)
 STRICT

;
INSERT INTO "ai_call_results" VALUES('biz_7','call-1','["masked"]',1790608400000000);
INSERT INTO "ai_call_results" VALUES('biz_7','call-2','["masked"]',1790608460000000);
INSERT INTO "ai_call_results" VALUES('biz_7','call-4','["masked"]',1790608460000000);
INSERT INTO "ai_call_results" VALUES('biz_7','call-6','["masked"]',1790694860000000);
INSERT INTO "ai_call_results" VALUES('biz_8','call-2','["masked"]',1790695060000000);
INSERT INTO "ai_call_results" VALUES('biz_8','call-1','["masked"]',1790695060000000);
INSERT INTO "ai_call_results" VALUES('biz_9','call-1','["masked"]',1790695060000000);
INSERT INTO "ai_call_results" VALUES('biz_9','call-2','["masked"]',1790695060000000);
CREATE TABLE ai_credit_grants (
	business_id TEXT NOT NULL, 
	id TEXT NOT NULL, 
	source TEXT NOT NULL, 
	source_ref TEXT NOT NULL, 
	amount INTEGER NOT NULL, 
	remaining INTEGER NOT NULL, 
	held INTEGER DEFAULT 0 NOT NULL, 
	priority INTEGER NOT NULL, 
	unit_price INTEGER DEFAULT 0 NOT NULL, 
	effective_at INTEGER NOT NULL, 
	expires_at INTEGER, 
	PRIMARY KEY (business_id, id), 
	CONSTRAINT uq_grant_once UNIQUE (business_id, source, source_ref), 
	CONSTRAINT ck_grant_amount CHECK (amount > 0), 
	CONSTRAINT ck_grant_never_overdrawn CHECK (0 <= held AND held <= remaining AND remaining <= amount)
)
 STRICT

;
INSERT INTO "ai_credit_grants" VALUES('biz_7','01a0c450-6c00-7068-a731-4be1a1574077','trial','trial',5000000,0,0,10,0,1790000000000000,NULL);
INSERT INTO "ai_credit_grants" VALUES('biz_7','01a0c487-5a80-7dbd-917d-ebd9ad206001','purchase','order-1',100000000,95900000,7000000,50,800000,1790003600000000,NULL);
INSERT INTO "ai_credit_grants" VALUES('biz_7','01a0c487-5a80-7713-984b-cefc57be53d6','purchase','order-2',3000000,0,0,50,2333333,1790003600000000,NULL);
INSERT INTO "ai_credit_grants" VALUES('biz_8','01a0c9ae-a0e0-7d51-83e7-cfa5a3822e26','promo','spring',2000000,0,0,10,0,1790090060000000,NULL);
INSERT INTO "ai_credit_grants" VALUES('biz_9','01a0c9b1-ae20-7208-af3d-57fe0ddbef21','purchase','order-3',3000000,2700000,0,50,2333333,1790090260000000,NULL);
CREATE TABLE ai_credit_holds (
	business_id TEXT NOT NULL, 
	id TEXT NOT NULL, 
	attempt INTEGER NOT NULL, 
	amount INTEGER NOT NULL, 
	captured INTEGER DEFAULT 0 NOT NULL, 
	feature TEXT NOT NULL, 
	user_id TEXT, 
	state TEXT NOT NULL, 
	request_hash TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	expires_at INTEGER NOT NULL, 
	closed_at INTEGER, 
	PRIMARY KEY (business_id, id, attempt), 
	CONSTRAINT ck_hold_amount CHECK (amount > 0 AND attempt > 0), 
	CONSTRAINT ck_hold_captured CHECK (0 <= captured AND captured <= amount), 
	CONSTRAINT ck_hold_state CHECK (state IN ('open', 'captured', 'void', 'expired'))
)
 STRICT

;
INSERT INTO "ai_credit_holds" VALUES('biz_7','call-1',1,3000000,3000000,'product_description','u_1','captured','h-call-1',1790003600000000,1790003720000000,1790003600000000);
INSERT INTO "ai_credit_holds" VALUES('biz_7','call-2',1,5000000,5000000,'collection_analysis','u_1','captured','h-call-2',1790003660000000,1790003780000000,1790003660000000);
INSERT INTO "ai_credit_holds" VALUES('biz_7','call-3',1,5000000,0,'collection_analysis','u_1','void','h-call-3',1790003660000000,1790003780000000,1790003660000000);
INSERT INTO "ai_credit_holds" VALUES('biz_7','call-3',2,100000,100000,'collection_analysis','u_1','captured','h-call-3',1790003660000000,1790003780000000,1790003660000000);
INSERT INTO "ai_credit_holds" VALUES('biz_7','call-5',1,2000000,0,'collection_analysis','u_1','expired','h-call-5',1790003660000000,1790003780000000,1790090060000000);
INSERT INTO "ai_credit_holds" VALUES('biz_7','call-6',1,4000000,0,'collection_analysis','u_1','expired','h-call-6',1790003660000000,1790003780000000,1790090060000000);
INSERT INTO "ai_credit_holds" VALUES('biz_8','call-1',1,2000000,0,'collection_analysis','u_1','expired','h-call-1',1790090060000000,1790090180000000,1790090260000000);
INSERT INTO "ai_credit_holds" VALUES('biz_8','call-2',1,2000000,2000000,'collection_analysis','u_1','captured','h-call-2',1790090260000000,1790090380000000,1790090260000000);
INSERT INTO "ai_credit_holds" VALUES('biz_9','call-1',1,100000,100000,'collection_analysis','u_1','captured','h-call-1',1790090260000000,1790090380000000,1790090260000000);
INSERT INTO "ai_credit_holds" VALUES('biz_9','call-2',1,200000,200000,'product_description','u_1','captured','h-call-2',1790090260000000,1790090380000000,1790090260000000);
INSERT INTO "ai_credit_holds" VALUES('biz_7','call-7',1,7000000,0,'collection_analysis','u_1','open','h-call-7',1790090260000000,1790090380000000,NULL);
CREATE TABLE ai_hold_allocations (
	business_id TEXT NOT NULL, 
	hold_id TEXT NOT NULL, 
	attempt INTEGER NOT NULL, 
	grant_id TEXT NOT NULL, 
	amount INTEGER NOT NULL, 
	used INTEGER DEFAULT 0 NOT NULL, 
	PRIMARY KEY (business_id, hold_id, attempt, grant_id), 
	CONSTRAINT ck_allocation_used CHECK (0 <= used AND used <= amount)
)
 STRICT

;
INSERT INTO "ai_hold_allocations" VALUES('biz_7','call-1',1,'01a0c450-6c00-7068-a731-4be1a1574077',3000000,3000000);
INSERT INTO "ai_hold_allocations" VALUES('biz_7','call-2',1,'01a0c450-6c00-7068-a731-4be1a1574077',2000000,2000000);
INSERT INTO "ai_hold_allocations" VALUES('biz_7','call-2',1,'01a0c487-5a80-7713-984b-cefc57be53d6',3000000,3000000);
INSERT INTO "ai_hold_allocations" VALUES('biz_7','call-3',1,'01a0c487-5a80-7dbd-917d-ebd9ad206001',5000000,0);
INSERT INTO "ai_hold_allocations" VALUES('biz_7','call-3',2,'01a0c487-5a80-7dbd-917d-ebd9ad206001',100000,100000);
INSERT INTO "ai_hold_allocations" VALUES('biz_7','call-5',1,'01a0c487-5a80-7dbd-917d-ebd9ad206001',2000000,0);
INSERT INTO "ai_hold_allocations" VALUES('biz_7','call-6',1,'01a0c487-5a80-7dbd-917d-ebd9ad206001',4000000,4000000);
INSERT INTO "ai_hold_allocations" VALUES('biz_8','call-1',1,'01a0c9ae-a0e0-7d51-83e7-cfa5a3822e26',2000000,0);
INSERT INTO "ai_hold_allocations" VALUES('biz_8','call-2',1,'01a0c9ae-a0e0-7d51-83e7-cfa5a3822e26',2000000,2000000);
INSERT INTO "ai_hold_allocations" VALUES('biz_9','call-1',1,'01a0c9b1-ae20-7208-af3d-57fe0ddbef21',100000,100000);
INSERT INTO "ai_hold_allocations" VALUES('biz_9','call-2',1,'01a0c9b1-ae20-7208-af3d-57fe0ddbef21',200000,200000);
INSERT INTO "ai_hold_allocations" VALUES('biz_7','call-7',1,'01a0c487-5a80-7dbd-917d-ebd9ad206001',7000000,0);
CREATE TABLE ai_ledger (
	business_id TEXT NOT NULL, 
	seq INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	debit TEXT NOT NULL, 
	credit TEXT NOT NULL, 
	amount INTEGER NOT NULL, 
	ref TEXT NOT NULL, 
	balance_after INTEGER NOT NULL, 
	effective_at INTEGER NOT NULL, 
	booked_at INTEGER NOT NULL, 
	hash TEXT NOT NULL, 
	PRIMARY KEY (business_id, seq), 
	CONSTRAINT uq_ledger_once UNIQUE (business_id, kind, ref), 
	CONSTRAINT ck_ledger_amount CHECK (amount > 0), 
	CONSTRAINT ck_ledger_two_accounts CHECK (debit <> credit), 
	CONSTRAINT ck_ledger_balance CHECK (balance_after >= 0)
)
 STRICT

;
INSERT INTO "ai_ledger" VALUES('biz_7',1,'grant','issuance:trial','wallet',5000000,'trial:trial',5000000,1790000000000000,1790000000000000,'852f479052e1c43826ae849aa92b697851da60cabaab4c145293d18ce6a76d78');
INSERT INTO "ai_ledger" VALUES('biz_7',2,'grant','issuance:purchase','wallet',100000000,'purchase:order-1',105000000,1790003600000000,1790003600000000,'ae787f763677f9aea81ebbfc10d3c429a860010a96790db871d86e588ee4e6b5');
INSERT INTO "ai_ledger" VALUES('biz_7',3,'grant','issuance:purchase','wallet',3000000,'purchase:order-2',108000000,1790003600000000,1790003600000000,'5b76270d77b9299ae5fc813fc8c960f8fefbdc79dc114b2467bb7480904319f2');
INSERT INTO "ai_ledger" VALUES('biz_7',4,'usage','wallet','revenue:product_description',3000000,'call-1',105000000,1790003600000000,1790003600000000,'07d870a693b666142b1df82e18667177657459d28390e4ddb6ffab88326bfc80');
INSERT INTO "ai_ledger" VALUES('biz_7',5,'usage','wallet','revenue:collection_analysis',5000000,'call-2',100000000,1790003660000000,1790003660000000,'54acfc82043869c14724e390260f28f59787e21c6621a4e928777a15435e64cf');
INSERT INTO "ai_ledger" VALUES('biz_7',6,'usage','wallet','revenue:collection_analysis',100000,'call-3',99900000,1790003660000000,1790003660000000,'724e3261229d505feb33bf15bd4e04cf76568092d91269bf1443e3925f69bbdf');
INSERT INTO "ai_ledger" VALUES('biz_7',7,'usage','wallet','revenue:collection_analysis',4000000,'call-6',95900000,1790090060000000,1790090060000000,'a7e7b6b1d5b08ded73b802205f356eba2b03d7c9e9d51f8bb5299a97a7174c17');
INSERT INTO "ai_ledger" VALUES('biz_8',1,'grant','issuance:promo','wallet',2000000,'promo:spring',2000000,1790090060000000,1790090060000000,'9f1f46f3689cc13498a0f687bea5f2956b048440043dbc871d0a93c8ce14f57d');
INSERT INTO "ai_ledger" VALUES('biz_8',2,'usage','wallet','revenue:collection_analysis',2000000,'call-2',0,1790090260000000,1790090260000000,'40b9dae3db3ed50ee107aa5dc51a8f3810fdffaa80ddabcf715c4da4a6aa1027');
INSERT INTO "ai_ledger" VALUES('biz_8',3,'bad_debt','bad_debt','revenue:collection_analysis',2000000,'call-1',0,1790090260000000,1790090260000000,'8ee6b56ca22dde8a722c361eb4d43ad587f581de7761d97ecd5ef322b69febb1');
INSERT INTO "ai_ledger" VALUES('biz_9',1,'grant','issuance:purchase','wallet',3000000,'purchase:order-3',3000000,1790090260000000,1790090260000000,'d6071264081169e79f6fe7cfde33d835516c930d45c1a927ebb44622a1c4880c');
INSERT INTO "ai_ledger" VALUES('biz_9',2,'usage','wallet','revenue:collection_analysis',100000,'call-1',2900000,1790090260000000,1790090260000000,'573879469d4450c61b009e3e3a903a0acc15535c241085e4c71129135b005455');
INSERT INTO "ai_ledger" VALUES('biz_9',3,'usage','wallet','revenue:product_description',200000,'call-2',2700000,1790090260000000,1790090260000000,'14e0b049344384576ac66a715c27394b863e8bc0f912536bcc85a047ef42885e');
CREATE TABLE ai_schema (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
)
 STRICT

;
INSERT INTO "ai_schema" VALUES(1);
CREATE TABLE ai_transactions (
	business_id TEXT NOT NULL, 
	id TEXT NOT NULL, 
	attempt INTEGER NOT NULL, 
	at INTEGER NOT NULL, 
	feature TEXT NOT NULL, 
	user_id TEXT, 
	request_hash TEXT NOT NULL, 
	outcome TEXT NOT NULL, 
	error_code TEXT, 
	charged INTEGER NOT NULL, 
	source TEXT NOT NULL, 
	model TEXT, 
	prompt_version TEXT, 
	input_tokens INTEGER, 
	cached_tokens INTEGER, 
	cache_write_tokens INTEGER, 
	output_tokens INTEGER, 
	reasoning_tokens INTEGER, 
	cost_pico_usd INTEGER, 
	cost_micro_ghs INTEGER, 
	fx_rate INTEGER NOT NULL, 
	fx_date TEXT NOT NULL, 
	fx_source TEXT NOT NULL, 
	latency_ms INTEGER, 
	request_meta TEXT NOT NULL, 
	response_meta TEXT NOT NULL, 
	PRIMARY KEY (business_id, id, attempt), 
	CONSTRAINT ck_transaction_outcome CHECK (outcome IN ('ok', 'failed', 'unknown')), 
	CONSTRAINT ck_transaction_charged CHECK (charged >= 0), 
	CONSTRAINT ck_transaction_cost CHECK (cost_pico_usd IS NULL OR cost_pico_usd >= 0), 
	CONSTRAINT ck_transaction_cost_pair CHECK ((cost_pico_usd IS NULL) = (cost_micro_ghs IS NULL))
)
 STRICT

;
INSERT INTO "ai_transactions" VALUES('biz_7','call-1',1,1790003600000000,'product_description','u_1','h-call-1','ok',NULL,3000000,'ai','openai/gpt-6-luna','1',200,20,0,80,5,75000000,873,1164600000,'2026-09-29','static',412,'{"temperature": 0}','{"attempts": 1}');
INSERT INTO "ai_transactions" VALUES('biz_7','call-2',1,1790003660000000,'collection_analysis','u_1','h-call-2','ok',NULL,5000000,'ai','openai/gpt-6-luna','1',200,20,0,80,5,75000000,873,1164600000,'2026-09-29','static',412,'{"temperature": 0}','{"attempts": 1}');
INSERT INTO "ai_transactions" VALUES('biz_7','call-3',1,1790003660000000,'collection_analysis','u_1','h-call-3','failed','provider_timeout',0,'ai',NULL,NULL,NULL,NULL,NULL,NULL,NULL,30000000,349,1164600000,'2026-09-29','static',30000,'{}','{}');
INSERT INTO "ai_transactions" VALUES('biz_7','call-3',2,1790003660000000,'collection_analysis','u_1','h-call-3','ok',NULL,100000,'ai','openai/gpt-6-luna','1',NULL,NULL,NULL,NULL,NULL,NULL,NULL,1164600000,'2026-09-29','static',NULL,'{"temperature": 0}','{"attempts": 1}');
INSERT INTO "ai_transactions" VALUES('biz_7','call-4',0,1790003660000000,'collection_analysis','u_1','h-call-4','ok',NULL,0,'cache','openai/gpt-6-luna','1',200,20,0,80,5,0,0,1164600000,'2026-09-29','static',412,'{"temperature": 0}','{"attempts": 1}');
INSERT INTO "ai_transactions" VALUES('biz_7','call-5',1,1790090060000000,'collection_analysis','u_1','h-call-5','unknown','hold_expired',0,'ai',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1164600000,'2026-09-29','static',NULL,'{}','{}');
INSERT INTO "ai_transactions" VALUES('biz_7','call-6',1,1790090060000000,'collection_analysis','u_1','h-call-6','ok',NULL,4000000,'ai','openai/gpt-6-luna','1',200,20,0,80,5,75000000,873,1164600000,'2026-09-29','static',412,'{"temperature": 0}','{"attempts": 1}');
INSERT INTO "ai_transactions" VALUES('biz_8','call-1',1,1790090260000000,'collection_analysis','u_1','h-call-1','ok',NULL,0,'ai','openai/gpt-6-luna','1',200,20,0,80,5,75000000,873,1164600000,'2026-09-29','static',412,'{"temperature": 0}','{"attempts": 1}');
INSERT INTO "ai_transactions" VALUES('biz_8','call-2',1,1790090260000000,'collection_analysis','u_1','h-call-2','ok',NULL,2000000,'ai','openai/gpt-6-luna','1',200,20,0,80,5,75000000,873,1164600000,'2026-09-29','static',412,'{"temperature": 0}','{"attempts": 1}');
INSERT INTO "ai_transactions" VALUES('biz_9','call-1',1,1790090260000000,'collection_analysis','u_1','h-call-1','ok',NULL,100000,'ai','openai/gpt-6-luna','1',200,20,0,80,5,75000000,873,1164600000,'2026-09-29','static',412,'{"temperature": 0}','{"attempts": 1}');
INSERT INTO "ai_transactions" VALUES('biz_9','call-2',1,1790090260000000,'product_description','u_1','h-call-2','ok',NULL,200000,'ai','openai/gpt-6-luna','1',200,20,0,80,5,75000000,873,1164600000,'2026-09-29','static',412,'{"temperature": 0}','{"attempts": 1}');
CREATE TABLE ai_trial_claims (
	key_hmac TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	claimed_at INTEGER NOT NULL, 
	PRIMARY KEY (key_hmac)
)
 STRICT

;
INSERT INTO "ai_trial_claims" VALUES('claim-of-a-phone','phone',1790000000000000);
CREATE TABLE business_ai_credits (
	business_id TEXT NOT NULL, 
	posted INTEGER DEFAULT 0 NOT NULL, 
	held INTEGER DEFAULT 0 NOT NULL, 
	lifetime_in INTEGER DEFAULT 0 NOT NULL, 
	lifetime_used INTEGER DEFAULT 0 NOT NULL, 
	next_due_at INTEGER, 
	seq INTEGER DEFAULT 0 NOT NULL, 
	chain_head TEXT NOT NULL, 
	booked_at INTEGER DEFAULT 0 NOT NULL, 
	status TEXT NOT NULL, 
	PRIMARY KEY (business_id), 
	CONSTRAINT ck_wallet_never_overdrawn CHECK (0 <= held AND held <= posted), 
	CONSTRAINT ck_wallet_status CHECK (status IN ('active', 'suspended', 'closed'))
)
 STRICT

;
INSERT INTO "business_ai_credits" VALUES('biz_7',95900000,7000000,108000000,12100000,1790090380000000,7,'a7e7b6b1d5b08ded73b802205f356eba2b03d7c9e9d51f8bb5299a97a7174c17',1790090060000000,'active');
INSERT INTO "business_ai_credits" VALUES('biz_8',0,0,2000000,2000000,NULL,3,'8ee6b56ca22dde8a722c361eb4d43ad587f581de7761d97ecd5ef322b69febb1',1790090260000000,'active');
INSERT INTO "business_ai_credits" VALUES('biz_9',2700000,0,3000000,300000,1790090380000000,3,'14e0b049344384576ac66a715c27394b863e8bc0f912536bcc85a047ef42885e',1790090260000000,'active');
CREATE INDEX ix_wallet_due ON business_ai_credits (next_due_at) WHERE next_due_at IS NOT NULL;
CREATE INDEX ix_grant_burn ON ai_credit_grants (business_id, expires_at, priority, id) WHERE remaining > 0;
CREATE INDEX ix_hold_open ON ai_credit_holds (business_id, expires_at) WHERE state = 'open';
CREATE TRIGGER ai_ledger_no_update BEFORE UPDATE ON ai_ledger BEGIN SELECT RAISE(ABORT, 'the ledger is never changed; book a reversal'); END;
CREATE TRIGGER ai_ledger_no_delete BEFORE DELETE ON ai_ledger BEGIN SELECT RAISE(ABORT, 'the ledger is never changed; book a reversal'); END;
CREATE INDEX ix_transaction_time ON ai_transactions (business_id, at, id);
CREATE INDEX ix_result_expiry ON ai_call_results (expires_at);
COMMIT;
